"""Writes the corpus: office, PDF, mail and HTML files by third-party programs, and the words that each must yield.

    make.py FOLDER    # FOLDER/files.json lists the files: kind, media type, program, words
"""

import io
import json
import re
import shutil
import subprocess
import sys
import zlib
from email.message import EmailMessage
from pathlib import Path

TEXTS = {
    "english": "The quarterly report lists invoices, suppliers and overdue payments of the northern warehouse.",
    "german": "Größere Straßenbauarbeiten verzögern die Übergabe der Schlüssel bis Dienstag.",
    "polish": "Zażółć gęślą jaźń, a później podpisz umowę najmu w Łodzi.",
    "french": "Déjà vu : l'œuvre complète sera livrée à Noël, sans frais supplémentaires.",
    "russian": "Квартальный отчёт содержит счета поставщиков северного склада.",
    "greek": "Η τριμηνιαία έκθεση περιέχει τιμολόγια προμηθευτών.",
    "japanese": "四半期報告書には仕入先の請求書が含まれています",
    "chinese": "季度报告包含北方仓库供应商的发票",
    "korean": "분기보고서에는 공급업체 송장이 포함되어 있습니다",
}
LATIN = ["english", "german", "french"]
OFFICE = "application/vnd.openxmlformats-officedocument."
TYPES = {
    "docx": OFFICE + "wordprocessingml.document",
    "xlsx": OFFICE + "spreadsheetml.sheet",
    "pptx": OFFICE + "presentationml.presentation",
    "xls": "application/vnd.ms-excel",
    "pdf": "application/pdf",
    "eml": "message/rfc822",
    "html": "text/html",
    "csv": "text/csv",
    "txt": "text/plain",
}


def words(*texts):
    """Returns the words that a search could use: runs of letters and digits."""
    return sorted({word for text in texts for word in re.findall(r"\w{3,}", text)})


class Corpus:
    def __init__(self, folder):
        self.folder, self.files = folder, []
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, name, by, data, expected):
        kind = name.rsplit(".", 1)[1]
        (self.folder / name).write_bytes(data)
        self.files.append({"name": name, "kind": kind, "type": TYPES[kind], "by": by, "words": expected})

    def saved(self, name, by, save, expected):
        file = io.BytesIO()
        save(file)
        self.add(name, by, file.getvalue(), expected)


def documents(corpus):
    import docx

    for language, text in TEXTS.items():
        document = docx.Document()
        document.add_heading(f"Heading {language}", 1)
        document.add_paragraph(text)
        document.add_paragraph("bulletpoint", style="List Bullet")
        table = document.add_table(rows=2, cols=2)
        for cell, value in zip((c for row in table.rows for c in row.cells), ["alpha", "beta", "gamma", "delta"]):
            cell.text = value
        corpus.saved(f"python-docx-{language}.docx", "python-docx", document.save,
                     words("Heading", language, text, "bulletpoint alpha beta gamma delta"))
    document = docx.Document()
    document.add_paragraph("visiblebody")
    document.sections[0].header.paragraphs[0].text = "headerword"
    document.sections[0].footer.paragraphs[0].text = "footerword"
    run = document.add_paragraph().add_run("split")
    run.bold = True
    run._r.getparent().append(document.add_paragraph().add_run("word")._r)
    comment = document.add_paragraph("commented").runs
    document.add_comment(comment, text="commentword", author="Ada")
    inner = document.add_table(1, 1).cell(0, 0)
    inner.add_table(1, 1).cell(0, 0).text = "nestedcell"
    corpus.saved("python-docx-margins.docx", "python-docx", document.save,
                 words("visiblebody headerword footerword splitword commented commentword nestedcell"))


def workbooks(corpus):
    import openpyxl
    import xlsxwriter
    import xlwt

    for language, text in TEXTS.items():
        book = openpyxl.Workbook()
        book.active.title = "First"
        book.active.append([language, text])
        second = book.create_sheet("Second")
        second["C7"] = "farcell"
        corpus.saved(f"openpyxl-{language}.xlsx", "openpyxl", book.save, words(language, text, "First Second farcell"))

        old = xlwt.Workbook(encoding="utf-8")
        sheet = old.add_sheet("First")
        sheet.write(0, 0, language)
        sheet.write(0, 1, text)
        old.add_sheet("Second").write(6, 2, "farcell")
        corpus.saved(f"xlwt-{language}.xls", "xlwt", old.save, words(language, text, "First Second farcell"))
    for rows in (1, 60, 400):
        old = xlwt.Workbook()
        sheet = old.add_sheet("Rows")
        for row in range(rows):
            sheet.write(row, 0, f"row{row}label")
            sheet.write(row, 1, row)
        corpus.saved(f"xlwt-{rows}-rows.xls", "xlwt", old.save, words(*(f"row{row}label" for row in range(rows))))
    for constant in (False, True):
        file = io.BytesIO()
        book = xlsxwriter.Workbook(file, {"in_memory": True, "constant_memory": constant})
        sheet = book.add_worksheet("Inline" if constant else "Shared")
        sheet.write(0, 0, "plaincell")
        bold = book.add_format({"bold": True})
        sheet.write_rich_string(1, 0, "rich", bold, "cell", " tail")
        sheet.write_formula(2, 0, '="formula"&"word"', value="formulaword")
        sheet.write_comment(0, 0, "ignored remark")
        book.close()
        corpus.add(f"xlsxwriter-{constant}.xlsx", "xlsxwriter", file.getvalue(), words("plaincell richcell tail formulaword"))


def slides(corpus):
    import pptx
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE
    from pptx.util import Inches

    for language, text in TEXTS.items():
        deck = pptx.Presentation()
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = f"Title {language}"
        slide.placeholders[1].text = text
        slide.notes_slide.notes_text_frame.text = f"note of {language}"
        corpus.saved(f"python-pptx-{language}.pptx", "python-pptx", deck.save, words("Title note", language, text))
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "R&D plan"
    paragraph = slide.shapes.add_textbox(0, 0, Inches(1), Inches(1)).text_frame.paragraphs[0]
    paragraph.add_run().text = "Quarter"
    paragraph.add_run().text = "ly"
    table = slide.shapes.add_table(1, 2, 0, 0, Inches(4), Inches(1)).table
    table.cell(0, 0).text, table.cell(0, 1).text = "tablecell", "second"
    data = CategoryChartData()
    data.categories = ["catnorth", "catsouth"]
    data.add_series("seriesname", (1, 2))
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, 0, 0, Inches(4), Inches(3), data)
    slide.shapes.add_group_shape().shapes.add_textbox(0, 0, 10, 10).text_frame.text = "groupedword"
    corpus.saved("python-pptx-shapes.pptx", "python-pptx", deck.save,
                 words("plan Quarterly tablecell second catnorth catsouth seriesname groupedword"))


def unicode_font():
    found = [f for d in ("/usr/share/fonts", "/usr/local/share/fonts") for f in Path(d).rglob("DejaVuSans.ttf")]
    return found[0] if found else None


def reportlab_pdf(pages, **options):
    from reportlab.pdfgen import canvas

    file = io.BytesIO()
    sheet = canvas.Canvas(file, **options)
    for font, lines in pages:
        sheet.setFont(font, 12)
        for number, line in enumerate(lines):
            sheet.drawString(72, 760 - 20 * number, line)
        sheet.showPage()
    sheet.save()
    return file.getvalue()


def pdfs(corpus):
    import pypdf
    from fpdf import FPDF
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont

    for language in LATIN:
        text = TEXTS[language].replace("œ", "oe")
        corpus.add(f"reportlab-{language}.pdf", "reportlab", reportlab_pdf([("Helvetica", [text])]), words(text))
        page = FPDF()
        page.add_page()
        page.set_font("Helvetica", size=12)
        page.multi_cell(0, 8, text)
        corpus.add(f"fpdf2-{language}.pdf", "fpdf2", bytes(page.output()), words(text))
    for font, language in (("HeiseiMin-W3", "japanese"), ("STSong-Light", "chinese"), ("HYSMyeongJo-Medium", "korean")):
        pdfmetrics.registerFont(UnicodeCIDFont(font))
        data = reportlab_pdf([(font, [TEXTS[language]]), ("Helvetica", ["plainpage"])])
        corpus.add(f"reportlab-not-embedded-{language}.pdf", "reportlab", data, words(TEXTS[language], "plainpage"))
    if font := unicode_font():
        for language in ("polish", "russian", "greek"):
            page = FPDF()
            page.add_page()
            page.add_font("Sans", "", str(font))
            page.set_font("Sans", size=12)
            page.multi_cell(0, 8, TEXTS[language])
            corpus.add(f"fpdf2-embedded-{language}.pdf", "fpdf2", bytes(page.output()), words(TEXTS[language]))
    plain = reportlab_pdf([("Helvetica", ["firstpage repairword"]), ("Times-Roman", ["secondpage"])])
    expected = words("firstpage repairword secondpage")
    start = plain.rindex(b"startxref")
    for name, data in {
        "wrong-startxref": re.sub(rb"startxref\n\d+", b"startxref\n7", plain),
        "cut-tail": plain[:start],
        "padded": plain + bytes(5000),
        "appended": plain + b"\n<html>download manager</html>" * 100,
        "prepended": b"HTTP/1.1 200 OK\r\n\r\n" + plain,
    }.items():
        corpus.add(f"damaged-{name}.pdf", "reportlab, damaged", data, expected)
    secret = StandardEncryption("", ownerPassword="owner", canCopy=1, strength=128)
    corpus.add("reportlab-owner-password.pdf", "reportlab", reportlab_pdf([("Helvetica", ["encryptedword"])], encrypt=secret), ["encryptedword"])
    writer = pypdf.PdfWriter(io.BytesIO(plain))
    writer.encrypt("", "owner", algorithm="AES-256")
    corpus.saved("pypdf-aes-256.pdf", "pypdf", writer.write, expected)
    # Nobody without the password reads these, so no word is expected.
    for algorithm in ("AES-256", "RC4-128"):
        writer = pypdf.PdfWriter(io.BytesIO(plain))
        writer.encrypt("secret", "owner", algorithm=algorithm)
        corpus.saved(f"pypdf-user-password-{algorithm.lower()}.pdf", "pypdf", writer.write, [])
    writer = pypdf.PdfWriter(io.BytesIO(plain))
    writer.compress_identical_objects()
    corpus.saved("pypdf-rewritten.pdf", "pypdf", writer.write, expected)
    many = reportlab_pdf([("Helvetica", [f"longpage{n}"]) for n in range(300)])
    corpus.add("reportlab-300-pages.pdf", "reportlab", many, words(*(f"longpage{n}" for n in range(300))))
    corpus.add("scan-with-text.pdf", "by hand", scan(), [f"scanword{n}" for n in range(6)])


def scan():
    """Writes six colour pages at 300 dpi with invisible text, like a scanner's software."""
    image = zlib.compress(bytes(2480 * 3508 * 3), 9)
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", None, b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
               b"<</Type/XObject/Subtype/Image/Width 2480/Height 3508/ColorSpace/DeviceRGB/BitsPerComponent 8"
               b"/Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(image), image)]
    kids = []
    for number in range(6):
        content = b"q 595 0 0 842 0 0 cm /I Do Q BT 3 Tr /F 12 Tf 72 700 Td (scanword%d) Tj ET" % number
        kids.append(b"%d 0 R" % (len(objects) + 1))
        objects.append(b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %d 0 R/Resources"
                       b"<</Font<</F 3 0 R>>/XObject<</I 4 0 R>>>>>>" % (len(objects) + 2))
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(content), content))
    objects[1] = b"<</Type/Pages/Count 6/Kids[%s]>>" % b" ".join(kids)
    file, places = bytearray(b"%PDF-1.5\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(file))
        file += b"%d 0 obj%s endobj\n" % (number, body)
    table = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    file += b"".join(b"%010d 00000 n \n" % place for place in places)
    file += b"trailer<</Size %d/Root 1 0 R>>startxref\n%d\n%%%%EOF" % (len(objects) + 1, table)
    return bytes(file)


def mails(corpus):
    for language, charset in [("english", "us-ascii"), ("german", "iso-8859-1"), ("polish", "iso-8859-2"),
                              ("russian", "koi8-r"), ("russian", "windows-1251"), ("greek", "iso-8859-7"),
                              ("japanese", "iso-2022-jp"), ("japanese", "shift_jis"), ("japanese", "euc-jp"),
                              ("chinese", "gb18030"), ("chinese", "gb2312"), ("korean", "euc-kr"), ("german", "utf-8")]:
        mail = EmailMessage()
        mail["Subject"] = f"Subject {language}"
        mail["From"] = "Ada <ada@example.com>"
        mail["To"] = "bob@example.com"
        mail.set_content(TEXTS[language], charset=charset)
        corpus.add(f"email-{language}-{charset}.eml", "Python email", mail.as_bytes(),
                   words("Subject Ada bob", language, TEXTS[language]))
    mail = EmailMessage()
    mail["Subject"] = "Parts"
    mail.set_content("plainpart")
    mail.add_alternative("<p>plainpart</p>", subtype="html")
    mail.add_attachment("attachedtext", filename="a.txt")
    inner = EmailMessage()
    inner["Subject"] = "innersubject"
    inner.set_content("forwardedbody")
    mail.add_attachment(inner)
    corpus.add("email-parts.eml", "Python email", mail.as_bytes(), words("Parts plainpart attachedtext innersubject forwardedbody"))


def pages(corpus):
    for language, charset in [("english", "utf-8"), ("german", "iso-8859-1"), ("russian", "windows-1251"), ("polish", "iso-8859-2"),
                              ("japanese", "shift_jis"), ("chinese", "gb18030"), ("korean", "euc-kr"), ("german", "utf-16")]:
        page = f'<html><head><meta charset="{charset}"><title>Page</title></head><body><p>{TEXTS[language]}</p></body></html>'
        corpus.add(f"page-{language}-{charset}.html", "Python codecs", page.encode(charset), words("Page", TEXTS[language]))
    for language, charset in [("german", "utf-16"), ("russian", "windows-1251"), ("japanese", "shift_jis"), ("french", "cp1252")]:
        corpus.add(f"text-{language}-{charset}.txt", "Python codecs", TEXTS[language].encode(charset), words(TEXTS[language]))
        corpus.add(f"text-{language}-{charset}.csv", "Python codecs", f"name\t{TEXTS[language]}\n".encode(charset), words("name", TEXTS[language]))


def office_suite(corpus):
    """Converts the files above with LibreOffice, if it is installed."""
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        print("LibreOffice is not installed: its files are left out")
        return
    before = {entry["name"]: entry for entry in corpus.files}
    for source, targets in {"python-docx-german.docx": ["pdf", "docx"], "openpyxl-german.xlsx": ["xls", "xlsx", "pdf"],
                            "python-pptx-german.pptx": ["pptx", "pdf"]}.items():
        for target in targets:
            folder = corpus.folder / "converted"
            subprocess.run([program, "--headless", "--convert-to", target, "--outdir", folder, corpus.folder / source],
                           check=True, capture_output=True, timeout=120)
            made = folder / Path(source).with_suffix(f".{target}").name
            kept = [w for w in before[source]["words"] if target != "pdf" or w not in ("note", "First", "Second")]
            corpus.add(f"libreoffice-{Path(source).stem}.{target}", "LibreOffice", made.read_bytes(), kept)


def main():
    corpus = Corpus(Path(sys.argv[1]))
    for part in (documents, workbooks, slides, pdfs, mails, pages, office_suite):
        part(corpus)
    (corpus.folder / "files.json").write_text(json.dumps(corpus.files, ensure_ascii=False, indent=1))


main()
