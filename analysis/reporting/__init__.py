"""From answers to what people look at: sentences, figures, tables, the page."""
