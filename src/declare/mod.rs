//! The YAML: reading, diagnostics, resolving to what one environment should hold.
