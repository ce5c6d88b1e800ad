"""Recipes so small that a run takes a fraction of a second."""

from cfc_ref.experiments.settings import SETTINGS


def small(data, model, epochs=2):
    recipe = SETTINGS[data][model]._replace(units=6, epochs=epochs, batch_size=16)
    return recipe._replace(backbone_units=8) if recipe.backbone_units else recipe
