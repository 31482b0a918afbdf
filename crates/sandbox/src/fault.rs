//! Faults on demand: what a network and a gateway can do to a request.

use std::str::FromStr;

use axum::http::Method;

use super::SandboxError;

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The status is answered instead of doing what was asked. A number that is no status counts
    /// as 500.
    Status {
        /// The status, such as 503.
        status: u16,
        /// Seconds for the header `Retry-After`; `None` leaves it out.
        retry_after: Option<u64>,
    },
    /// What was asked is done, and then this status is answered.
    StatusAfter {
        /// The status, such as 503.
        status: u16,
        /// Seconds for the header `Retry-After`; `None` leaves it out.
        retry_after: Option<u64>,
    },
    /// The connection is closed without an answer; nothing was done.
    CutBefore,
    /// What was asked is done, then the connection is closed without an answer.
    CutAfter,
    /// A gateway's page, status 200 and `text/html`; nothing was done.
    Html,
    /// All access tokens end now, this request's among them, so that it is answered 401.
    ExpireTokens,
}

/// Which requests meet with a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultRule {
    /// Only this method; `None` for any.
    pub method: Option<Method>,
    /// Only paths that begin with this; `None` for any. It is compared with the path as it was
    /// sent, below `/api/v1`, with its query: `/scopes?` means the scopes but not their accesses,
    /// `/token` the token endpoint.
    pub path: Option<String>,
    /// How many such requests pass first.
    pub skip: u32,
    /// How many then meet with the fault.
    pub times: u32,
    /// What happens to them.
    pub fault: Fault,
}

impl FaultRule {
    /// A rule for the next `times` requests of any kind.
    pub fn any(times: u32, fault: Fault) -> Self {
        Self { method: None, path: None, skip: 0, times, fault }
    }

    fn matches(&self, method: &Method, target: &str) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted == method)
            && self.path.as_ref().is_none_or(|wanted| target.starts_with(wanted))
    }
}

/// The fault that strikes this request, if any. Each rule that matches counts it, up to the first
/// one whose turn it is. `target` is path and query.
pub(super) fn strike(rules: &mut Vec<FaultRule>, method: &Method, target: &str) -> Option<Fault> {
    let target = target.strip_prefix("/api/v1").unwrap_or(target);
    let mut struck = None;
    for rule in rules.iter_mut() {
        if rule.times == 0 || !rule.matches(method, target) {
            continue;
        }
        if rule.skip > 0 {
            rule.skip -= 1;
            continue;
        }
        rule.times -= 1;
        struck = Some(rule.fault);
        break;
    }
    rules.retain(|rule| rule.times > 0);
    struck
}

/// `METHOD /path SKIP TIMES KIND`, with `*` for any method or path. KIND: a status such as `503`,
/// `429:2` (with a `Retry-After`), `503-after`, `cut-before`, `cut-after`, `html`,
/// `expire-tokens`.
impl FromStr for FaultRule {
    type Err = SandboxError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |problem| SandboxError::Fault { actual: text.to_owned(), problem };
        let words: Vec<&str> = text.split_whitespace().collect();
        let [method, path, skip, times, kind] = words[..] else {
            return Err(error("it has not five words"));
        };
        let method = match method {
            "*" => None,
            name => Some(Method::from_str(name).map_err(|_| error("that is no HTTP method"))?),
        };
        let path = match path {
            "*" => None,
            path if path.starts_with('/') => Some(path.to_owned()),
            _ => return Err(error("a path begins with /")),
        };
        let number = |word: &str| word.parse().map_err(|_| error("SKIP and TIMES are numbers"));
        Ok(Self {
            method,
            path,
            skip: number(skip)?,
            times: number(times)?,
            fault: kind_of(kind).ok_or_else(|| error("there is no such KIND"))?,
        })
    }
}

fn kind_of(word: &str) -> Option<Fault> {
    Some(match word {
        "cut-before" => Fault::CutBefore,
        "cut-after" => Fault::CutAfter,
        "html" => Fault::Html,
        "expire-tokens" => Fault::ExpireTokens,
        other => {
            let (other, after) = match other.strip_suffix("-after") {
                Some(rest) => (rest, true),
                None => (other, false),
            };
            let (status, retry_after) = match other.split_once(':') {
                Some((status, seconds)) => (status, Some(seconds.parse().ok()?)),
                None => (other, None),
            };
            let status = status.parse().ok().filter(|s| (400..600).contains(s))?;
            if after {
                Fault::StatusAfter { status, retry_after }
            } else {
                Fault::Status { status, retry_after }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_lets_some_pass_then_strikes_so_many_and_is_gone() {
        let mut rules = vec!["PUT /scopes? 1 2 503:7".parse().unwrap()];
        let mut next = |method, target| strike(&mut rules, &method, target);
        let unavailable = Some(Fault::Status { status: 503, retry_after: Some(7) });
        assert_eq!(next(Method::PUT, "/api/v1/scopes?scope=a"), None);
        assert_eq!(next(Method::GET, "/api/v1/scopes?scope=a"), None);
        assert_eq!(next(Method::PUT, "/api/v1/scopes/access/1?scope=a"), None);
        assert_eq!(next(Method::PUT, "/api/v1/scopes?scope=a"), unavailable);
        assert_eq!(next(Method::PUT, "/api/v1/scopes?scope=a"), unavailable);
        assert_eq!(next(Method::PUT, "/api/v1/scopes?scope=a"), None);
        assert_eq!(rules, []);
    }

    #[test]
    fn rules_strike_one_after_the_other() {
        let mut rules = vec![FaultRule::any(1, Fault::CutBefore), FaultRule::any(1, Fault::Html)];
        let mut next = || strike(&mut rules, &Method::GET, "/token");
        assert_eq!(next(), Some(Fault::CutBefore));
        assert_eq!(next(), Some(Fault::Html));
        assert_eq!(next(), None);
    }

    #[test]
    fn what_is_no_rule_is_reported_why() {
        for (text, problem) in [
            ("PUT /scopes 0 1", "five words"),
            ("P/T /scopes 0 1 html", "method"),
            ("PUT scopes 0 1 html", "begins with /"),
            ("PUT /scopes 0 once html", "numbers"),
            ("PUT /scopes 0 1 200", "KIND"),
            ("PUT /scopes 0 1 503:soon", "KIND"),
        ] {
            let error = text.parse::<FaultRule>().unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn a_status_can_come_after_the_change() {
        let rule: FaultRule = "* * 0 1 503-after".parse().unwrap();
        let fault = Fault::StatusAfter { status: 503, retry_after: None };
        assert_eq!(rule, FaultRule::any(1, fault));
    }
}
