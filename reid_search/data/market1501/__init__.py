"""Market-1501 (Zheng et al., ICCV 2015), or any data set in its layout."""
