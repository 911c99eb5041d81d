"""What people read: sentences, figures, tables and the page."""
