//! Plans and reports as text and JSON.
