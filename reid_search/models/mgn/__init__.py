"""Multiple granularity network (Wang et al., ACM MM 2018)."""
