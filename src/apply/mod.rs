//! Carries a plan out: order, concurrency, verification, report.
