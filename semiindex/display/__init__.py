"""Pictures of fitted models: each display computes first, then draws."""
