//! The properties and the rule in their comment on a resource server of Spring.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::api::{Attempt, CROSSED, attempts, crossed, rendered, world};
use super::envoy::free_port;
use crate::programs::{has, skipped};
use crate::world::{RUNTIME, SKATT, World};

/// The libraries, as `.ci/run` fetches them.
const LIBRARIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/spring-lib");

/// An application; the rule of the comment takes the place of `RULE`.
const APPLICATION: &str = r#"
import java.util.List;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.security.authorization.AuthorizationDecision;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.server.resource.authentication.JwtAuthenticationToken;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
@Import(Api.Backend.class)
public class Api {
    public static void main(String[] args) {
        SpringApplication.run(Api.class, args);
    }

    @Bean
    SecurityFilterChain chain(HttpSecurity http) throws Exception {
RULE
        return http.build();
    }

    @RestController
    public static class Backend {
        @GetMapping("/**")
        public String consumer(@AuthenticationPrincipal Jwt token) {
            var consumer = token.getClaimAsMap("consumer");
            return "seen " + (consumer == null ? "nobody" : consumer.get("ID"));
        }
    }
}
"#;

struct Server {
    java: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.java.kill();
        let _ = self.java.wait();
    }
}

/// The code in the comment of the properties.
fn rule(properties: &str) -> String {
    let (_, comment) = properties.split_once("SecurityFilterChain does:\n").unwrap();
    comment.lines().map(|line| format!("{}\n", line.trim_start_matches('#'))).collect()
}

impl Server {
    fn start(world: &World, properties: &str) -> Self {
        world.write("policy.properties", properties);
        world.write("Api.java", APPLICATION.replace("RULE", &rule(properties)));
        let log = std::fs::File::create(world.folder().join("spring.log")).unwrap();
        let port = free_port();
        let java = Command::new("java")
            .args(["-cp", &format!("{LIBRARIES}/*"), "Api.java", "--server.address=127.0.0.1"])
            .arg("--spring.config.location=file:policy.properties")
            .arg(format!("--server.port={port}"))
            .current_dir(world.folder())
            .stdout(log)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Self { java, address: format!("http://127.0.0.1:{port}/aareg/1") };
        let since = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = || std::fs::read_to_string(world.folder().join("spring.log")).unwrap();
            assert!(server.java.try_wait().unwrap().is_none(), "it ended: {}", log());
            assert!(since.elapsed() < Duration::from_secs(300), "it does not listen: {}", log());
            std::thread::sleep(Duration::from_millis(200));
        }
        server
    }

    fn ask(&self, token: Option<&str>) -> (u16, String) {
        RUNTIME.block_on(async {
            let http = reqwest::Client::builder().no_proxy().build().unwrap();
            let mut request = http.get(&self.address);
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        })
    }
}

#[test]
fn a_resource_server_decides_as_the_declarations_do() {
    let check = "the rendered properties on Spring";
    if !has("java", check) {
        return;
    }
    if !std::path::Path::new(LIBRARIES).is_dir() {
        return skipped(check, "its libraries are not in target/spring-lib");
    }
    let world = world();
    let consumers: fn(&Attempt) -> bool = |attempt| attempt.for_declared;
    let attempts: fn(&World) -> Vec<Attempt> = attempts;
    for (more, made, is_allowed) in [
        (&[][..], attempts, (|attempt| attempt.for_all) as fn(&Attempt) -> bool),
        (&["--consumers"], attempts, consumers),
        (&CROSSED, crossed, consumers),
    ] {
        if more == CROSSED {
            crossed(&world);
        }
        let server = Server::start(&world, &rendered(&world, "spring", more));
        // Tokens do not live long, and the server takes its time to start.
        let attempts = made(&world);
        // Spring takes a token without an end: Maskinporten issues none.
        for attempt in attempts.iter().filter(|it| it.what != "a token without an end") {
            let (status, text) = server.ask(attempt.token.as_deref());
            match is_allowed(attempt) {
                true => assert_eq!(status, 200, "{more:?} {}: {text}", attempt.what),
                false => assert!(
                    matches!(status, 401 | 403) && !text.contains("seen"),
                    "{more:?} {}: {status} {text}",
                    attempt.what
                ),
            }
        }
        let partner = attempts.iter().find(|it| it.for_declared).unwrap();
        assert_eq!(server.ask(partner.token.as_deref()).1, format!("seen 0192:{SKATT}"));
    }
}
