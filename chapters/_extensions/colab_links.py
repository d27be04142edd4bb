"""Links from the book to Google Colab.

The role ``{colab}`NAME``` links to an assignment's notebook. A chapter whose front matter says what it needs
in Colab (``colab: [...]``) links to its own notebook, which ``autograder publish`` makes from it, because
Colab opens no text: below its title, and by the theme's launch button. Other text loses that button. All
addresses are made from the repository that ``_config.yml`` names, so a fork changes it in one place.
"""

from pathlib import Path

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

logger = logging.getLogger(__name__)


def notebook_path(name):
    """Path of assignment ``name``'s student notebook inside the repository."""
    return f"assignments/{name}/{name}.ipynb"


def chapter_path(document):
    """Path of the notebook of the chapter ``document`` inside the published repository."""
    return f"colab/{document.rpartition('/')[2]}.ipynb"


def colab_url(repository_url, branch, path):
    """Address at which Colab opens the notebook at ``path`` of the repository.

    Raises ``ValueError`` when ``repository_url`` is not a repository on GitHub, since Colab opens no other.
    """
    host = "https://github.com/"
    if not repository_url.startswith(host):
        raise ValueError(f"repository: url in _config.yml must start with {host}, got {repository_url!r}")
    repository = repository_url.removeprefix(host).rstrip("/")
    return f"https://colab.research.google.com/github/{repository}/blob/{branch}/{path}"


def link(config, path):
    """A link "Open in Colab" to the notebook at ``path``."""
    options = config.html_theme_options
    url = colab_url(options["repository_url"], options["repository_branch"], path)
    return nodes.reference("", "Open in Colab", refuri=url)


class ColabRole(SphinxRole):
    """Link with the text "Open in Colab" to the assignment that the role names."""

    def run(self):
        name = self.text.strip()
        if not (Path(self.env.srcdir) / notebook_path(name)).exists():
            logger.warning("no assignment %r: %s does not exist", name, notebook_path(name),
                           location=self.get_location())
        return [link(self.config, notebook_path(name))], []


def add_link_to_chapter(app, doctree):
    """Put the link below the title of a chapter that has a notebook."""
    document = app.env.docname
    if "colab" not in app.env.metadata[document]:
        return
    title = next(doctree.findall(nodes.title))
    paragraph = nodes.paragraph("", "", link(app.config, chapter_path(document)), classes=["open-in-colab"])
    title.parent.insert(title.parent.index(title) + 1, paragraph)


def set_launch_button(app, pagename, templatename, context, doctree):
    """Lead the theme's launch button to the chapter's notebook, or remove it where there is none."""
    if doctree is None or app.env.doc2path(pagename).endswith(".ipynb"):
        return
    buttons = context.get("header_buttons", [])
    groups = [button for button in buttons if button.get("label") == "launch-buttons"]
    if "colab" not in app.env.metadata[pagename]:
        buttons[:] = [button for button in buttons if button not in groups]
    for group in groups:
        for button in group["buttons"]:
            button["url"] = link(app.config, chapter_path(pagename))["refuri"]


def setup(app):
    app.add_role("colab", ColabRole())
    app.connect("doctree-read", add_link_to_chapter, priority=900)
    app.connect("html-page-context", set_launch_button, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
