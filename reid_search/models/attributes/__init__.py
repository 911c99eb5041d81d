"""Attribute-person recognition: attributes beside identities (Lin et al., Pattern Recognition 2019)."""
