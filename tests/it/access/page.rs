//! The HTML page, in a real browser: Chromium, driven over WebDriver (W3C). Where there is none, the tests
//! that need it say so and are left out.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{access, world};
use crate::programs::has;
use crate::readme::{ROOT, copy};
use crate::world::RUNTIME;

/// A browser with one window.
struct Browser {
    driver: Child,
    session: String,
}

impl Browser {
    /// Starts one; `None` where it is not installed.
    fn start() -> Option<Self> {
        if !has("chromedriver", "the HTML page in Chromium") {
            return None;
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut browser = Self { driver, session: format!("http://127.0.0.1:{port}/session") };
        let arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1300,800"];
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        } } });
        let since = Instant::now();
        let id = loop {
            match browser.ask("", Some(&wanted)) {
                Ok(started) => break started["sessionId"].as_str().unwrap().to_owned(),
                Err(error) => assert!(since.elapsed() < Duration::from_secs(60), "{error}"),
            }
            std::thread::sleep(Duration::from_millis(200));
        };
        browser.session = format!("{}/{id}", browser.session);
        Some(browser)
    }

    fn ask(&self, path: &str, body: Option<&Value>) -> reqwest::Result<Value> {
        let url = format!("{}{path}", self.session);
        let client = reqwest::Client::new();
        let request = match body {
            Some(body) => client.post(url).json(body),
            None => client.get(url),
        };
        let answer: Value = RUNTIME.block_on(async { request.send().await?.json().await })?;
        Ok(answer["value"].clone())
    }

    fn open(&self, page: &Path) {
        let url = format!("file://{}", page.display());
        self.ask("/url", Some(&json!({ "url": url }))).unwrap();
    }

    /// The result of a script in the page.
    fn script(&self, script: &str) -> Value {
        let result = self.ask("/execute/sync", Some(&json!({ "script": script, "args": [] })));
        let result = result.unwrap();
        assert!(result.get("error").is_none(), "{result}");
        result
    }

    /// Types a text, as a person does; special keys are those of the WebDriver standard.
    fn types(&self, text: &str) {
        let keys = text.chars().flat_map(|key| {
            [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })]
        });
        let keys = json!({ "type": "key", "id": "keyboard", "actions": keys.collect::<Vec<_>>() });
        self.ask("/actions", Some(&json!({ "actions": [keys] }))).unwrap();
    }

    fn text(&self) -> String {
        self.script("return document.body.innerText").as_str().unwrap().to_owned()
    }

    /// All errors of the page, and all addresses that it asked for.
    fn log(&self) -> (Vec<Value>, Vec<String>) {
        let errors = self.ask("/se/log", Some(&json!({ "type": "browser" }))).unwrap();
        let events = self.ask("/se/log", Some(&json!({ "type": "performance" }))).unwrap();
        let asked = events.as_array().unwrap().iter().filter_map(|event| {
            let message: Value = serde_json::from_str(event["message"].as_str()?).ok()?;
            let message = &message["message"];
            (message["method"] == "Network.requestWillBeSent")
                .then(|| message["params"]["request"]["url"].as_str().unwrap().to_owned())
        });
        (errors.as_array().unwrap().clone(), asked.collect())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = RUNTIME.block_on(reqwest::Client::new().delete(&self.session).send());
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

const DOWN: char = '\u{e015}';
const RIGHT: char = '\u{e014}';
const ENTER: char = '\u{e007}';
const TAB: char = '\u{e004}';

#[test]
fn the_page_shows_searches_and_asks_for_nothing() {
    let Some(browser) = Browser::start() else { return };
    let world = world();
    world.put("etat:o", true, &[]);
    world.sandbox.edit(|state| {
        let fields = &mut state.scopes.get_mut(&"etat:o".parse().unwrap()).unwrap().fields;
        fields.insert("accessible_for_all".to_owned(), true.into());
    });
    let page = world.folder().join("access.html");
    access(&world, &["--format", "html", "--out", page.to_str().unwrap()]);
    browser.open(&page);
    let text = browser.text();
    assert!(text.contains("5 accesses, 5 scopes, 3 organisations"), "{text}");
    assert!(text.contains("Who can reach what: Etaten"), "{text}");

    // By keyboard alone: `/` leads to the search, Tab to the next field.
    browser.types(&format!("/etat:a{TAB}kart"));
    assert!(browser.text().contains("1 access, 1 scope, 1 organisation"), "{}", browser.text());
    browser.script("document.querySelector('[type=reset]').click()");
    browser.script("document.querySelector('[role=grid]').focus()");
    browser.types(&format!("{DOWN}{RIGHT}{ENTER}"));
    let address = browser.script("return location.hash");
    assert_eq!(address, "#/scope/test/etat%3Aaa");
    assert!(browser.text().contains("open to all organisations"), "{}", browser.text());

    for (address, expected) in [
        ("#/scope/test/etat%3Aa", "teams/arbeid/a.yaml:5"),
        ("#/organisation/974761076", "SAK-1"),
        ("#/client/test/client-1", "etat:a"),
        ("#/requests", "requests access"),
        ("#/differences", "declared, has no access yet"),
        ("#/open", "etat:aa"),
        ("#/scope/test/etat%3Ao", "all organisations, without a grant"),
        ("#/organisation/974761076", "Like every organisation, without a grant"),
        ("#/clients", "sync"),
        ("#/scope/test/nope", "There is no scope nope in test."),
    ] {
        browser.script(&format!("location.hash = '{address}'"));
        std::thread::sleep(Duration::from_millis(100));
        assert!(browser.text().contains(expected), "{address}: {}", browser.text());
    }
    // Whatever the width, all of the legend is seen and nothing is wider than the window.
    browser.script("location.hash = '#/'");
    for width in [1300, 800, 400] {
        let size = json!({ "width": width, "height": 800 });
        browser.ask("/window/rect", Some(&size)).unwrap();
        std::thread::sleep(Duration::from_millis(200));
        let is_cut = browser.script(
            "const inside = (of, box) => of.right <= box.right + 1 && of.bottom <= box.bottom + 1;
             const header = document.querySelector('header').getBoundingClientRect();
             const signs = [...document.querySelectorAll('#legend li')];
             return document.documentElement.scrollWidth > innerWidth || !signs.length
               || signs.some((sign) => !inside(sign.getBoundingClientRect(), header))",
        );
        assert_eq!(is_cut, false, "{width}");
    }
    let (errors, asked) = browser.log();
    assert_eq!(errors, [Value::Null; 0]);
    assert!(
        asked.iter().all(|url| url.starts_with("file:") && url.ends_with("access.html")),
        "{asked:?}"
    );
}

#[test]
fn texts_of_others_are_texts_in_the_page() {
    let world = world();
    let hostile = "</script><img src=x onerror=alert(1)><!--{{data}}\u{202e}";
    world.sandbox.edit(|state| {
        for scope in state.scopes.values_mut() {
            scope.fields.insert("description".to_owned(), hostile.into());
        }
        for name in state.organizations.values_mut() {
            hostile.clone_into(name);
        }
    });
    let page = world.folder().join("access.html");
    access(&world, &["--format", "html", "--out", page.to_str().unwrap()]);
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(!html.contains("<img") && !html.contains('\u{202e}'));
    assert_eq!(html.matches("</script>").count(), 2);
    assert_eq!(html.matches("<!--").count(), 0);
    let Some(browser) = Browser::start() else { return };
    browser.open(&page);
    browser.script("location.hash = '#/scope/test/etat%3Ab'");
    std::thread::sleep(Duration::from_millis(100));
    assert!(browser.text().contains("</script><img src=x onerror=alert(1)>"), "{}", browser.text());
    assert_eq!(browser.script("return document.images.length"), 0);
    assert_eq!(browser.log().0, [Value::Null; 0]);
}

#[test]
fn the_page_of_an_organisation_of_ten_years_opens() {
    let Some(browser) = Browser::start() else { return };
    let folder = TempDir::new().unwrap();
    copy(&Path::new(ROOT).join("examples/grown"), folder.path());
    std::fs::create_dir(folder.path().join(".portvakt")).unwrap();
    std::fs::copy(folder.path().join("sandbox.json"), folder.path().join(".portvakt/sandbox.json"))
        .unwrap();
    let ran = crate::world::program()
        .args(["access", "--format", "html", "--out", "access.html"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    browser.open(&folder.path().join("access.html"));
    assert!(browser.text().contains("300 scopes"), "{}", browser.text());
    let found = browser.script(
        "const field = document.getElementById('scope');
         field.value = 'etat:arbeid/k'; field.dispatchEvent(new Event('input', { bubbles: true }));
         return document.getElementById('count').textContent",
    );
    assert!(found.as_str().unwrap().ends_with("organisations"), "{found}");
    assert!(browser.text().contains("etat:arbeid/kodeverk/admin"), "{}", browser.text());
    let shot = browser.ask("/screenshot", None).unwrap();
    let shot = STANDARD.decode(shot.as_str().unwrap()).unwrap();
    assert!(shot.starts_with(b"\x89PNG") && shot.len() > 10_000);
    if let Some(file) = std::env::var_os("UPDATE_SCREENSHOT") {
        std::fs::write(file, shot).unwrap();
    }
}
