"""Links from the book to Google Colab.

The role ``{colab}`NAME``` links to an assignment's notebook. Its address is made from the repository that
``_config.yml`` names, so a fork changes it in one place. The theme's own launch button is kept on the pages
that Colab can open: the notebooks, not the chapters, which are text.
"""

from pathlib import Path

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

logger = logging.getLogger(__name__)


def notebook_path(name):
    """Path of assignment ``name``'s student notebook inside the repository."""
    return f"assignments/{name}/{name}.ipynb"


def colab_url(repository_url, branch, name):
    """Address at which Colab opens the student notebook of assignment ``name``.

    Raises ``ValueError`` when ``repository_url`` is not a repository on GitHub, since Colab opens no other.
    """
    host = "https://github.com/"
    if not repository_url.startswith(host):
        raise ValueError(f"repository: url in _config.yml must start with {host}, got {repository_url!r}")
    repository = repository_url.removeprefix(host).rstrip("/")
    return f"https://colab.research.google.com/github/{repository}/blob/{branch}/{notebook_path(name)}"


class ColabRole(SphinxRole):
    """Link with the text "Open in Colab" to the assignment that the role names."""

    def run(self):
        name = self.text.strip()
        if not (Path(self.env.srcdir) / notebook_path(name)).exists():
            logger.warning("no assignment %r: %s does not exist", name, notebook_path(name),
                           location=self.get_location())
        options = self.config.html_theme_options
        url = colab_url(options["repository_url"], options["repository_branch"], name)
        return [nodes.reference("", "Open in Colab", refuri=url)], []


def drop_launch_button_from_text(app, pagename, templatename, context, doctree):
    """Remove the theme's launch button from a page whose source Colab cannot open."""
    if doctree is None or app.env.doc2path(pagename).endswith(".ipynb"):
        return
    buttons = context.get("header_buttons", [])
    buttons[:] = [button for button in buttons if button.get("label") != "launch-buttons"]


def setup(app):
    app.add_role("colab", ColabRole())
    app.connect("html-page-context", drop_launch_button_from_text, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
