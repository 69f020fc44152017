"""QTI 1.2 in an IMS content package, with the words in its metadata by which Canvas knows its kinds of questions."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from xml.etree import ElementTree

from grader.kinds.quiz.questions import Fill, Match, Multiple, OrderItems, Question, Single
from grader.lesson.quiz.export import Exported
from grader.lesson.quiz.export.texts import as_html, as_line, quote_as_html

Element = ElementTree.Element
SUB = ElementTree.SubElement
QTI = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
PACKAGE = "http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"
FILE = "smtplab/smtplab.xml"
TYPES = {
    "single": "multiple_choice_question",
    "multiple": "multiple_answers_question",
    "order": "matching_question",
    "match": "matching_question",
    "fill": "short_answer_question",
}
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


def qti(questions: Sequence[Exported], title: str = "smtplab") -> bytes:
    """The questions as a zip of a QTI 1.2 assessment and its manifest; the same questions give the same bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as package:
        for name, root in (("imsmanifest.xml", _manifest()), (FILE, _assessment(questions, title))):
            ElementTree.indent(root)
            data = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True) + b"\n"
            package.writestr(zipfile.ZipInfo(name, _LONG_AGO), data, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def _manifest() -> Element:
    manifest = Element("manifest", identifier="smtplab-manifest", xmlns=PACKAGE)
    metadata = SUB(manifest, "metadata")
    SUB(metadata, "schema").text = "IMS Content"
    SUB(metadata, "schemaversion").text = "1.1.3"
    SUB(manifest, "organizations")
    resources = SUB(manifest, "resources")
    resource = SUB(resources, "resource", identifier="smtplab", type="imsqti_xmlv1p2", href=FILE)
    SUB(resource, "file", href=FILE)
    return manifest


def _assessment(questions: Sequence[Exported], title: str) -> Element:
    root = Element("questestinterop", xmlns=QTI)
    assessment = SUB(root, "assessment", ident="smtplab", title=as_line(title))
    _metadata(assessment, {"cc_maxattempts": "1"})
    section = SUB(assessment, "section", ident="root_section")
    for exported in questions:
        _item(section, exported)
    return root


def _metadata(parent: Element, fields: dict[str, str]) -> None:
    metadata = SUB(parent, "qtimetadata")
    for label, entry in fields.items():
        field = SUB(metadata, "qtimetadatafield")
        SUB(field, "fieldlabel").text = label
        SUB(field, "fieldentry").text = entry


def _item(section: Element, exported: Exported) -> None:
    question = exported.question
    item = SUB(section, "item", ident=f"smtplab-{question.id}", title=question.id)
    answers = ",".join(ident for ident, _ in _labels(question))
    _metadata(
        SUB(item, "itemmetadata"),
        {"question_type": TYPES[question.kind], "points_possible": "1.0", "original_answer_ids": answers},
    )
    presentation = SUB(item, "presentation")
    _html(presentation, as_html(question.ask) + quote_as_html(question.quoted))
    processing = SUB(item, "resprocessing")
    SUB(
        SUB(processing, "outcomes"),
        "decvar",
        maxvalue="100",
        minvalue="0",
        varname="SCORE",
        vartype="Decimal",
    )
    always = SUB(processing, "respcondition", {"continue": "Yes"})
    SUB(SUB(always, "conditionvar"), "other")
    SUB(always, "displayfeedback", feedbacktype="Response", linkrefid="general_fb")
    if isinstance(question, Single | Multiple):
        _choice(item, presentation, processing, question)
    elif isinstance(question, Fill):
        _words(item, presentation, processing, question)
    else:
        _pairs(presentation, processing, question, exported.order)
    _feedback(item, "general_fb", exported.afterwards)


def _labels(question: Question) -> list[tuple[str, str]]:
    """The identifiers of a question's choices, and their texts."""
    if isinstance(question, Single | Multiple):
        return [(f"a{place}", option.text) for place, option in enumerate(question.options, 1)]
    if isinstance(question, Match):
        return [(f"a{place}", pair.right) for place, pair in enumerate(question.pairs, 1)]
    if isinstance(question, OrderItems):
        return [(f"a{place}", str(place)) for place in range(1, len(question.items) + 1)]
    return [(f"a{place}", answer.text) for place, answer in enumerate(question.answers, 1)]


def _choice(item: Element, presentation: Element, processing: Element, question: Single | Multiple) -> None:
    single = isinstance(question, Single)
    response = SUB(
        presentation, "response_lid", ident="response1", rcardinality="Single" if single else "Multiple"
    )
    render = SUB(response, "render_choice")
    labels = _labels(question)
    for ident, text in labels:
        _material(SUB(render, "response_label", ident=ident), text)
    for (ident, _), option in zip(labels, question.options, strict=True):
        _said(item, processing, ident, ident, option.feedback)
    condition = SUB(processing, "respcondition", {"continue": "No"})
    variables = SUB(condition, "conditionvar")
    # All right ones and no wrong one; Canvas gives parts of the points by a rule of its own.
    group = variables if single else SUB(variables, "and")
    for (ident, _), option in zip(labels, question.options, strict=True):
        if option.right:
            SUB(group, "varequal", respident="response1").text = ident
        elif not single:
            SUB(SUB(group, "not"), "varequal", respident="response1").text = ident
    SUB(condition, "setvar", action="Set", varname="SCORE").text = "100"


def _words(item: Element, presentation: Element, processing: Element, question: Fill) -> None:
    response = SUB(presentation, "response_str", ident="response1", rcardinality="Single")
    SUB(SUB(response, "render_fib"), "response_label", ident="answer1", rshuffle="No")
    for (ident, _), answer in zip(_labels(question), question.answers, strict=True):
        _said(item, processing, ident, as_line(answer.text), answer.feedback)
    condition = SUB(processing, "respcondition", {"continue": "No"})
    variables = SUB(condition, "conditionvar")
    for answer in question.answers:
        if answer.right:
            SUB(variables, "varequal", respident="response1").text = as_line(answer.text)
    SUB(condition, "setvar", action="Set", varname="SCORE").text = "100"


def _pairs(
    presentation: Element, processing: Element, question: Match | OrderItems, order: list[int]
) -> None:
    lefts = (
        [pair.left for pair in question.pairs]
        if isinstance(question, Match)
        else [item.text for item in question.items]
    )
    labels = _labels(question)
    places = list(range(len(lefts)))
    if isinstance(question, Match):
        labels = [labels[place] for place in order]
    else:
        places = order
    worth = f"{100 / len(lefts):.2f}"
    for place in places:
        response = SUB(presentation, "response_lid", ident=f"response_{place + 1}")
        _material(response, lefts[place])
        render = SUB(response, "render_choice")
        for ident, text in labels:
            material = SUB(SUB(render, "response_label", ident=ident), "material")
            SUB(material, "mattext", texttype="text/plain").text = as_line(text)
        condition = SUB(processing, "respcondition")
        variables = SUB(condition, "conditionvar")
        SUB(variables, "varequal", respident=f"response_{place + 1}").text = f"a{place + 1}"
        SUB(condition, "setvar", action="Add", varname="SCORE").text = worth


def _said(item: Element, processing: Element, ident: str, value: str, feedback: str) -> None:
    """What is said to one answer."""
    condition = SUB(processing, "respcondition", {"continue": "Yes"})
    SUB(SUB(condition, "conditionvar"), "varequal", respident="response1").text = value
    SUB(condition, "displayfeedback", feedbacktype="Response", linkrefid=f"{ident}_fb")
    _feedback(item, f"{ident}_fb", feedback)


def _feedback(item: Element, ident: str, text: str) -> None:
    _material(SUB(SUB(item, "itemfeedback", ident=ident), "flow_mat"), text)


def _material(parent: Element, text: str) -> None:
    _html(parent, as_html(text))


def _html(parent: Element, made: str) -> None:
    SUB(SUB(parent, "material"), "mattext", texttype="text/html").text = made
