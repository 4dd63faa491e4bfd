"""What every process of the product would read and make at its first page: assets and templates.

The nursery reads this before the product is born, so that a hundred servers share it.
"""

from __future__ import annotations

from web.layout.assets import assets
from web.layout.language import LANGUAGES
from web.layout.page import environment

assets()
for lang in LANGUAGES:
    for template in environment(lang).list_templates(["html"]):
        environment(lang).get_template(template)
