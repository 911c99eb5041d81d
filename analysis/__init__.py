"""From trial records to tables, figures and reports; no torch, no ray."""
