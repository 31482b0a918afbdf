//! An emulator of the self-service API and of Maskinporten, served over HTTP.
