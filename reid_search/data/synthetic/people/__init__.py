"""Who is seen: what a person looks like, who resembles whom, and the attributes of both."""
