"""Recipes so small that a run takes a fraction of a second."""

from cfc_ref.experiments import EXPERIMENTS


def small(data, model, epochs=2):
    recipe = EXPERIMENTS[data].settings[model]._replace(units=6, epochs=epochs, batch_size=16)
    recipe = recipe._replace(embedding=5) if recipe.embedding else recipe
    return recipe._replace(backbone_units=8) if recipe.backbone_units else recipe
