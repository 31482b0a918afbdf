//! A line, taken apart without knowing whether it is YAML.

/// A line and its parts. Columns count characters from 0.
#[derive(Debug)]
pub(super) struct Line<'t> {
    pub(super) number: usize,
    pub(super) text: &'t str,
    /// How many spaces it begins with.
    pub(super) indent: usize,
    pub(super) has_dash: bool,
    /// Where what stands behind the dashes begins.
    pub(super) content_column: usize,
    /// What stands behind the dashes, without the comment.
    pub(super) content: &'t str,
}

impl<'t> Line<'t> {
    pub(super) fn new(number: usize, text: &'t str) -> Self {
        let code = scan(text, 0).comment.map_or(text, |at| &text[..at]).trim_end();
        let body = code.trim_start_matches(' ');
        let indent = code.len() - body.len();
        let mut content = body;
        while let Some(rest) = content.strip_prefix('-')
            && (rest.is_empty() || rest.starts_with(' '))
        {
            content = rest.trim_start_matches(' ');
        }
        let has_dash = content.len() < body.len();
        Self { number, text, indent, has_dash, content_column: code.len() - content.len(), content }
    }

    /// The key and its value, if it has one.
    pub(super) fn key(&self) -> Option<(&'t str, &'t str)> {
        if self.content.starts_with(['[', '{', '#', '|', '>', '%', '@', '`']) {
            return None;
        }
        match self.content.split_once(": ") {
            Some((key, value)) => Some((key.trim_end(), value.trim_start())),
            None => Some((self.content.strip_suffix(':')?.trim_end(), "")),
        }
    }

    /// Where its value begins.
    pub(super) fn value_column(&self) -> usize {
        let value = self.key().map_or(self.content, |(_, value)| value);
        let before = self.content.len() - value.len();
        self.content_column + self.content[..before].chars().count()
    }
}

/// What opens and closes in a line, by where it stands.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) comment: Option<usize>,
    /// A quote that is not closed.
    pub(super) quote: Option<(usize, char)>,
    pub(super) brackets: Vec<(usize, char)>,
}

/// Reads a line that begins inside so many brackets.
pub(super) fn scan(text: &str, mut depth: usize) -> Scan {
    let mut scan = Scan::default();
    // Whether a value may begin here: only there quotes and brackets mean something.
    let mut begins = true;
    let mut before = ' ';
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let ends_word = chars.peek().is_none_or(|(_, next)| next.is_whitespace());
        if let Some((_, quote)) = scan.quote {
            match c {
                '\\' if quote == '"' => drop(chars.next()),
                '\'' if quote == '\'' && chars.next_if(|next| next.1 == '\'').is_some() => {}
                _ if c == quote => scan.quote = None,
                _ => {}
            }
            begins = false;
        } else {
            match c {
                '#' if before.is_whitespace() => {
                    scan.comment = Some(at);
                    return scan;
                }
                '"' | '\'' if begins => scan.quote = Some((at, c)),
                '[' | '{' if begins || depth > 0 => {
                    scan.brackets.push((at, c));
                    depth += 1;
                }
                ']' | '}' if depth > 0 => {
                    scan.brackets.push((at, c));
                    depth -= 1;
                }
                _ => {}
            }
            begins = match c {
                '[' | '{' | ',' => depth > 0,
                ':' => ends_word,
                '-' => begins && ends_word,
                _ => begins && c.is_whitespace(),
            };
        }
        before = c;
    }
    scan
}
