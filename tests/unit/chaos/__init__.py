"""The campaign's own parts: a plan, a proxy and an auditor that can be trusted."""
