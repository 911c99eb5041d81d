"""From what trials left on disk to tables: one row a trial, an arm or a proposal."""
