"""Counts in sentences."""


def several(count: int, noun: str) -> str:
    """Write a count with its noun: `1 image`, `12,936 images`, `1 identity`, `751 identities`, `2 queries`."""
    if count == 1:
        return f"1 {noun}"
    return f"{count:,} {f'{noun[:-1]}ies' if noun.endswith(('ty', 'ry')) else f'{noun}s'}"
