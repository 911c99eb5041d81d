"""Vision transformers (Dosovitskiy et al. 2021; Touvron et al. 2021), as timm builds them."""
