"""Authentication, entities that exist, and the check that schemathesis runs beside its own.

The check: a request that is valid by tests/openapi.json is refused only by a rule of DigDir's that the
table below names, or because what it is about does not exist.
"""

import os
import re
import time

import jwt
import requests
import schemathesis

SANDBOX = os.environ["SANDBOX"]
CLIENT, KID, KEY = (os.environ[name] for name in ("CLIENT_ID", "KID", "KEY"))
SCOPES = "idporten:scopes.read idporten:scopes.write idporten:dcr.read idporten:dcr.write"
SCOPE = "etat:schemathesis"
CONSUMER = "974761076"
MODULUS = "x" * 342

# The words of each refusal, and the rule behind it. D is DigDir's documentation, S its description, C what clients of the
# live API have seen.
RULES = [
    (r"There is no (scope|client) ", "404: no such entity (S)"),
    (r"The client has no (key )?\"", "404: no such entity (S)"),
    (r"The organization \d+ was not found", "an unknown organization gives 400 or 404 (C, S)"),
    (r"has no access to the scope", "404: no such entity (S)"),
    (r"does not have any keys", "404: there is nothing to delete (S)"),
    (r"Invalid organization number", "nine digits, the last a MOD 11 check digit (D)"),
    (r"is not an organization number", "nine digits, the last a MOD 11 check digit (D)"),
    (r"orgno: is no organization number", "nine digits, the last a MOD 11 check digit (D)"),
    (r"client_orgno: the client's organization is", "a client acts for its own organization (D)"),
    (r"Invalid scope ", "a scope is named prefix:subscope (D), without spaces (RFC 6749 section 3.3)"),
    (r"name: a scope's name cannot hold", "a scope is named prefix:subscope, without spaces (RFC 6749)"),
    (r"name: a scope is named prefix:subscope", "a scope is named prefix:subscope (D)"),
    (r"subscope: a scope needs a prefix and a subscope", "a scope is named prefix:subscope (D)"),
    (r"a scope's name cannot change", "the name of a scope cannot change (D)"),
    (r"does not own the prefix", "prefixes are handed out by DigDir (D)"),
    (r"already exists|^The client has \".*\" already", "a POST of what exists is 409 (D)"),
    (r"^The scope .* is inactive", "409: it is not in the state that the call needs (S)"),
    (r"One of the parameters .* is required", "one call for all accesses is not documented (S)"),
    (r"_(age|lifetime): -[\d.e+]+ is not", "0 seconds or more (D)"),
    (r"_lifetime: must be more than 0", "lifetimes of 0 are refused (C)"),
    (r"_lifetime: \d+ is (not more|less) than", "access < refresh <= authorization (D)"),
    (r"long_description: .* is not allowed", "letters, digits, white space and punctuation (C)"),
    (r"delegation_source: .* is no known delegation source", "an issuer of GET /delegationsources (D)"),
    (r"integration_type: (is required|cannot change)", "legal combinations; it can never change (D)"),
    (r"is not possible for|are not possible for", "legal combinations (D)"),
    (r"scopes: (the scope|a client of)", "only scopes that the organization may use (C, D)"),
    (r"client_id: cannot change", "a client keeps its client_id (C)"),
    (r"does not use a secret", "legal combinations: only some clients have a secret (D)"),
    (r"(n|e): is no number|n: has less than 2048 bits", "RSA, 2048 bits or more (D)"),
    (r"kid: must have letters", "kid: letters, digits and ._- (D)"),
    (r"kid: .* comes twice", "kid: unique in the set (D)"),
    (r"kid: is not the one in the path", "single keys by PUT /clients/{id}/jwks/{kid} (D)"),
    (r"x5c: ", "x5c locks a key to a certificate (D)"),
    (r"exp: must be seconds", "exp: at most a year ahead (D)"),
    (r"key: is neither a JWK nor", "a key, by POST /api/v2/clients/{id}/key (C)"),
    (r"kty: must be RSA|use: must be sig|alg: must be one of", "members that a key must carry (D)"),
    (r": is private: send the public key only", "private members must never be sent (D)"),
    (r"keys: must be a list of 1 to 5", "an empty set is refused, five keys at most (C, D)"),
    (r"onbehalfof: cannot change", "the id in the path (S)"),
]


def token():
    now = int(time.time())
    claims = {"aud": f"{SANDBOX}/", "iss": CLIENT, "iat": now, "exp": now + 100, "scope": SCOPES}
    with open(KEY, encoding="ascii") as pem:
        grant = jwt.encode(claims, pem.read(), algorithm="RS256", headers={"kid": KID})
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": grant}
    answer = requests.post(f"{SANDBOX}/token", data=form, timeout=10)
    answer.raise_for_status()
    return answer.json()["access_token"]


TOKEN = {"Authorization": f"Bearer {token()}"}


def make(path, body):
    answer = requests.post(f"{SANDBOX}/api/v1{path}", json=body, headers=TOKEN, timeout=10)
    assert answer.status_code in (200, 409), answer.text
    return answer.json()


make("/scopes", {"name": SCOPE, "description": "Les"})
MADE = make(
    "/clients",
    {"client_name": "Schemathesis", "integration_type": "maskinporten", "scopes": [SCOPE]},
)["client_id"]


@schemathesis.auth()
class Bearer:
    def get(self, case, context):
        return TOKEN

    def set(self, case, data, context):
        case.headers = {**(case.headers or {}), **data}


# About half of what is generated is replaced by what exists or is well-formed.
def existing(generated, known):
    return known if len(str(generated)) % 2 == 0 else generated


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    known = {"client_id": MADE, "consumer_orgno": CONSUMER, "orgno": CONSUMER}
    for name, value in known.items():
        if name in (path_parameters or {}):
            path_parameters[name] = existing(path_parameters[name], value)
    return path_parameters


@schemathesis.hook
def map_query(context, query):
    if "scope" in (query or {}):
        query["scope"] = existing(query["scope"], SCOPE)
    return query


@schemathesis.hook
def map_body(context, body):
    if isinstance(body, dict):
        for name, value in {"prefix": "etat", "scopes": [SCOPE], "n": MODULUS, "e": "AQAB"}.items():
            if name in body:
                body[name] = existing(body[name], value)
    return body


@schemathesis.hook
def after_call(context, case, response):
    """Opens again what was deactivated, so that other calls find it."""
    if case.method == "DELETE" and response.status_code < 400:
        for path, body in [
            (f"/scopes?scope={SCOPE}", {"description": "Les"}),
            (f"/clients/{MADE}", {"client_name": "Schemathesis", "scopes": [SCOPE]}),
        ]:
            body = {**body, "active": True}
            requests.put(f"{SANDBOX}/api/v1{path}", json=body, headers=TOKEN, timeout=10)


@schemathesis.check
def refused_by_a_rule(ctx, response, case):
    if response.status_code < 400 or case.meta and not case.meta.generation.mode.is_positive:
        return
    body = response.json()
    reasons = [
        f"{error['fieldIdentifier']}: {error['errorMessage']}" for error in body.get("errors", [])
    ] or [body["error_description"]]
    unexplained = [why for why in reasons if not any(re.search(rule, why) for rule, _ in RULES)]
    assert not unexplained, f"no rule refuses this: {unexplained}"
