"""Reads the corpus with omni-readers, with the readers that Omni uses, and with others, and compares the words found.

    compare.py FOLDER OMNI_READERS OMNI_S    # ends with `N passed, N failed`, a row for each kind of file
"""

import html.parser
import io
import json
import re
import subprocess
import sys
from pathlib import Path

# Formats in which ours may find fewer words, with reasons. Currently none.
BEHIND = {}
FORMATS = {"txt": "text", "html": "html", "csv": "csv", "pdf": "pdf", "docx": "docx", "pptx": "pptx", "xlsx": "xlsx", "xls": "xls", "eml": "eml"}


def ours(entry, data):
    job = {"format": FORMATS[entry["kind"]], "first_part": 0, "max_rows": 1000, "max_text_bytes": 5 << 20,
           "max_memory_bytes": 1 << 30, "max_seconds": 60}
    done = subprocess.run([READERS, json.dumps(job)], input=data, capture_output=True, timeout=90)
    frames = [json.loads(line) for line in done.stdout.splitlines()]
    return "".join(frame["text"] for frame in frames if frame["frame"] == "text")


def omnis(entry, data):
    if entry["kind"] == "pdf":
        import pdf_oxide

        file = FOLDER / entry["name"]
        document = pdf_oxide.PdfDocument(str(file))
        return "\n".join(document.extract_text(page) for page in range(document.page_count()))
    return subprocess.run([OMNIS, entry["kind"]], input=data, capture_output=True, timeout=90).stdout.decode()


def pypdfs(entry, data):
    if entry["kind"] == "pdf":
        import pypdf

        return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)
    if entry["kind"] == "eml":
        import email
        import email.policy

        mail = email.message_from_bytes(data, policy=email.policy.default)
        body = mail.get_body(("plain", "html"))
        return "\n".join([*(str(value) for value in mail.values()), body.get_content() if body else ""])
    return None


def markitdowns(entry, data):
    from markitdown import MarkItDown, StreamInfo

    if entry["kind"] in ("eml", "pdf"):
        return None
    info = StreamInfo(extension="." + entry["kind"])
    return MarkItDown(enable_plugins=False).convert_stream(io.BytesIO(data), stream_info=info).text_content


def pdfminers(entry, data):
    if entry["kind"] != "pdf":
        return None
    from pdfminer.high_level import extract_text

    return extract_text(io.BytesIO(data))


OTHERS = {"omni": omnis, "pypdf or email": pypdfs, "pdfminer": pdfminers, "markitdown": markitdowns}


def found(text, words):
    """Counts the found words: whole words, or runs of characters for scripts without blanks."""
    text = html.unescape(text or "")
    whole = {word.casefold() for word in re.findall(r"\w+", text)}
    joined = re.sub(r"\s+", "", text).casefold()
    spaceless = lambda word: any(ord(c) > 0x2E80 for c in word)
    return sum(word.casefold() in whole or spaceless(word) and word.casefold() in joined for word in words)


def share(read, entry, data):
    try:
        text = read(entry, data)
    except Exception:  # a reader that gives up found nothing
        text = ""
    return None if text is None else found(text, entry["words"])


def main():
    kinds = {}
    for entry in json.loads((FOLDER / "files.json").read_text()):
        data = (FOLDER / entry["name"]).read_bytes()
        row = kinds.setdefault(entry["kind"], {"words": 0, "files": 0})
        row["words"] += len(entry["words"])
        row["files"] += 1
        counts = {name: share(read, entry, data) for name, read in {"ours": ours, **OTHERS}.items()}
        for name, count in counts.items():
            if count is not None:
                row[name] = row.get(name, 0) + count
        best = max(count for count in counts.values() if count is not None)
        if counts["ours"] < best:
            print(f"behind in {entry['name']}: {counts} of {len(entry['words'])}")
    failed = 0
    names = ["ours", *OTHERS]
    print("| kind | files | words | " + " | ".join(names) + " |\n|---" * 1 + "|---" * (len(names) + 2) + "|")
    for kind, row in kinds.items():
        cells = [f"{row[name] / row['words']:.3f}" if name in row else "" for name in names]
        print(f"| {kind} | {row['files']} | {row['words']} | " + " | ".join(cells) + " |")
        best = max(row[name] for name in OTHERS if name in row)
        is_behind = row["ours"] < best
        if is_behind != (kind in BEHIND):
            failed += 1
            print(f"FAILED {kind}: " + ("another reader finds more" if is_behind else "it is not behind any more"))
    print(f"{len(kinds) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


FOLDER, READERS, OMNIS = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
main()
