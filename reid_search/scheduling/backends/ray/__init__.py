"""The study on Ray Tune; nothing else imports ray."""
