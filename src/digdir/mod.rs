//! The self-service API and Maskinporten: tokens, transport, endpoints, reading what is live.
