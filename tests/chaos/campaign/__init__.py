"""A seeded fault campaign over the running system, and the audit of what was promised."""
