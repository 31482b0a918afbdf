//! Lines of a file that are never shown: a mistake in the YAML must not carry a secret into a log.

use std::sync::LazyLock;

use regex::Regex;

/// Length of a run of characters that may be a key or a token.
const SUSPICIOUS: usize = 40;
/// Parts of a line of portvakt.yaml, without white space and quotes, that suggest a secret in it or in the
/// block that it opens, even if the key is misspelt or in the wrong place.
const SECRET_KEYS: [&str; 5] = ["credential", "password", "secret", "token:", "key:"];

/// Decides which lines are never shown; it must see each line in order.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    is_settings: bool,
    in_key: bool,
    block: Option<SecretBlock>,
}

/// The block of a secret's key: lines that are indented more than its own, or inside its brackets.
#[derive(Debug)]
struct SecretBlock {
    indentation: usize,
    open_brackets: isize,
}

impl Secrets {
    pub(super) fn new(is_settings: bool) -> Self {
        Self { is_settings, ..Self::default() }
    }

    pub(super) fn hide(&mut self, line: &str) -> bool {
        let of_private_key = self.of_private_key(line) || has_private_member(line);
        let of_credentials = self.is_settings && self.of_credentials(line);
        of_private_key || of_credentials || has_odd_address(line)
    }

    /// Whether a line belongs to a private key in PEM, from its beginning to its end, or to the end of the
    /// file.
    fn of_private_key(&mut self, line: &str) -> bool {
        let before = self.in_key;
        let is_marker = line.contains("PRIVATE KEY");
        if is_marker {
            self.in_key = line.rfind("BEGIN") > line.rfind("END");
        }
        before || is_marker
    }

    fn of_credentials(&mut self, line: &str) -> bool {
        let text = line.trim_start();
        let indentation = line.len() - text.len();
        let brackets = brackets(line);
        if let Some(block) = &mut self.block {
            let is_item = indentation == block.indentation && text.starts_with('-');
            let is_inside = indentation > block.indentation || is_item || text.is_empty();
            if is_inside || block.open_brackets > 0 {
                block.open_brackets = block.open_brackets.saturating_add(brackets);
                return true;
            }
        }
        let opens = names_secret(line);
        self.block = opens.then_some(SecretBlock { indentation, open_brackets: brackets });
        opens
    }
}

/// Whether a line holds a private member of a JWK (RFC 7518 section 6.3.2).
fn has_private_member(line: &str) -> bool {
    static MEMBER: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let name = r#"(?:^|[\s{\[,?])["']?(?:d|p|q|dp|dq|qi|oth|k)["']?\s*:\s*"#;
        let base64url = r#"["']?[A-Za-z0-9_-]+["']?\s*(?:[,}\]#]|$)"#;
        Regex::new(&format!("{name}{base64url}")).ok()
    });
    MEMBER.as_ref().is_none_or(|member| member.is_match(line))
}

/// The number of brackets that a line opens, minus those that it closes, except in quotes and comments. A
/// bracket after a quote that stays open counts as never closed.
fn brackets(line: &str) -> isize {
    let (mut open, mut quote, mut before) = (0, None, ' ');
    for character in line.chars() {
        match (quote, character) {
            (Some(end), character) if character == end => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(character),
            (None, '#') if before.is_whitespace() => break,
            (None, '{' | '[') => open += 1,
            (None, '}' | ']') => open -= 1,
            (None, _) => {}
        }
        before = character;
    }
    if quote.is_some() { isize::MAX / 2 } else { open }
}

/// Whether a line has an address that may contain a password, or a token after its path.
fn has_odd_address(line: &str) -> bool {
    let after = line.split_once("://").map(|(_, after)| after);
    after.is_some_and(|after| after.contains(['@', '?']))
}

fn names_secret(line: &str) -> bool {
    let kept = line.chars().filter(|c| !matches!(c, ' ' | '\t' | '"' | '\''));
    let line: String = kept.collect::<String>().to_lowercase();
    SECRET_KEYS.iter().any(|key| line.contains(key))
}

/// Replaces each character of a possible key or token with a dot.
pub(super) fn mask(line: &mut [char]) {
    let of_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-');
    for run in line.chunk_by_mut(|a, b| of_key(*a) == of_key(*b)) {
        if run.len() >= SUSPICIOUS && run.first().is_some_and(|c| of_key(*c)) {
            run.fill('·');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, is_settings: bool) -> Vec<&str> {
        let mut secrets = Secrets::new(is_settings);
        text.lines().filter(|line| !secrets.hide(line)).collect()
    }

    #[test]
    fn private_members_of_a_jwk_are_hidden() {
        for line in [
            "      d: hemmelig",
            "jwks: { kty: RSA, n: abc, d: \"hemmelig\" }",
            "  \"q\": \"hemmelig\",",
            "jwks: {kty: RSA,'dp':'hemmelig'}",
            "{\"d\" : \"hemmelig\"}",
        ] {
            assert!(has_private_member(line), "{line}");
        }
        for line in ["  description: d q p", "  - d", "  d: https://a.no/e", "n: abc", "#d"] {
            assert!(!has_private_member(line), "{line}");
        }
    }

    #[test]
    fn credentials_are_hidden_with_all_below_them() {
        let text = "a: 1\n  test:\n    target: x\n    \"credentials\" :\n      client_id: b\n\n      \
                    more: { c: d }\n    after: e\n  'Credentials': { f: g,\n  h: i,\nj: [k] }\nl: m\n  \
                    credentials:\n  - n\n  o: p\n";
        assert_eq!(
            shown(text, true),
            ["a: 1", "  test:", "    target: x", "    after: e", "l: m", "  o: p"]
        );
        assert_eq!(shown(text, false), text.lines().collect::<Vec<_>>());
    }

    #[test]
    fn a_secret_in_a_wrong_place_is_hidden() {
        let text = "  test:\n    target: x\n    key: a\n    crednetials: 1\n    credentails: 2\n  \
                    credential: { b: c }\n  password : |\n    d\n  e: f\n";
        let wanted =
            ["  test:", "    target: x", "    crednetials: 1", "    credentails: 2", "  e: f"];
        assert_eq!(shown(text, true), wanted);
    }

    #[test]
    fn quotes_and_comments_close_no_brackets() {
        for line in
            ["a: { credentials: { b: \"}}}\",", "a: { credentials: { # }}}", "credentials: { b: '}"]
        {
            assert_eq!(shown(&format!("{line}\nhemmelig }} }}\n"), true), [""; 0], "{line}");
        }
    }

    #[test]
    fn addresses_with_more_than_a_path_are_hidden() {
        let text = "a: https://u:p@a.no/\nb: https://a.no/?token=c\nd: https://a.no/e\n";
        assert_eq!(shown(text, false), ["d: https://a.no/e"]);
    }

    #[test]
    fn private_keys_are_hidden_in_every_file() {
        let text = "a\n-----BEGIN RSA PRIVATE KEY-----\nb\n-----END RSA PRIVATE KEY-----\nc\n\
                    d: \"-----BEGIN PRIVATE KEY-----\\nx\\n-----END PRIVATE KEY-----\"\ne\n\
                    # a PRIVATE KEY\nf\n-----BEGIN PRIVATE KEY-----\ng\n";
        assert_eq!(shown(text, false), ["a", "c", "e", "f"]);
    }

    #[test]
    fn long_runs_are_masked_character_for_character() {
        let masked = |text: &str| {
            let mut line: Vec<char> = text.chars().collect();
            mask(&mut line);
            line.into_iter().collect::<String>()
        };
        let secret = "aB3+/=_-".repeat(5);
        assert_eq!(masked(&format!("æ {secret}.x")), format!("æ {}.x", "·".repeat(40)));
        assert_eq!(masked(&secret[1..]), secret[1..]);
        assert_eq!(masked(&"æ".repeat(50)), "æ".repeat(50));
    }
}
