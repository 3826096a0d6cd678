//! The characters that HTML has names for, as far as secrets contain them.

/// The signs of ASCII that have a name of their own.
const SIGNS: [(&str, char); 46] = [
    ("amp", '&'),
    ("AMP", '&'),
    ("lt", '<'),
    ("LT", '<'),
    ("gt", '>'),
    ("GT", '>'),
    ("quot", '"'),
    ("QUOT", '"'),
    ("apos", '\''),
    ("Tab", '\t'),
    ("NewLine", '\n'),
    ("excl", '!'),
    ("num", '#'),
    ("dollar", '$'),
    ("percnt", '%'),
    ("lpar", '('),
    ("rpar", ')'),
    ("ast", '*'),
    ("midast", '*'),
    ("plus", '+'),
    ("comma", ','),
    ("period", '.'),
    ("sol", '/'),
    ("colon", ':'),
    ("semi", ';'),
    ("equals", '='),
    ("quest", '?'),
    ("commat", '@'),
    ("lsqb", '['),
    ("lbrack", '['),
    ("bsol", '\\'),
    ("rsqb", ']'),
    ("rbrack", ']'),
    ("Hat", '^'),
    ("lowbar", '_'),
    ("UnderBar", '_'),
    ("grave", '`'),
    ("lcub", '{'),
    ("lbrace", '{'),
    ("verbar", '|'),
    ("vert", '|'),
    ("VerticalLine", '|'),
    ("rcub", '}'),
    ("rbrace", '}'),
    ("euro", '€'),
    ("tilde", '\u{2dc}'),
];

/// The names of the characters from U+00A0 to U+00FF, in their order.
const LATIN: &str = "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute \
micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave \
Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml \
Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth \
ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml";

/// Returns the character with this name.
pub(super) fn named(name: &[u8]) -> Option<u32> {
    let sign = SIGNS.iter().find(|(known, _)| known.as_bytes() == name);
    if let Some((_, sign)) = sign {
        return Some(u32::from(*sign));
    }
    let latin = LATIN.split(' ').position(|known| known.as_bytes() == name);
    let latin = latin.and_then(|place| u32::try_from(place).ok());
    latin.map(|place| 0xa0 + place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_of_their_characters() {
        for (name, character) in [
            ("nbsp", '\u{a0}'),
            ("Agrave", 'À'),
            ("szlig", 'ß'),
            ("eacute", 'é'),
            ("yuml", 'ÿ'),
            ("amp", '&'),
            ("commat", '@'),
        ] {
            assert_eq!(named(name.as_bytes()), Some(u32::from(character)), "{name}");
        }
        assert_eq!(named(b"unknown"), None);
    }
}
