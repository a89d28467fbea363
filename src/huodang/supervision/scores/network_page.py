"""The network as a page that opens offline: drawings of our own, each with its table of data beside it."""

from collections.abc import Mapping
from html import escape
from typing import Final

from huodang.supervision.scores.layout import lay_out
from huodang.supervision.scores.network import Component, Link, Network
from huodang.supervision.scores.service import Scores
from huodang.supervision.scores.shown import ShownPerson

NOTICE_CHINESE: Final = "评分只说明少见，不是违规的认定，不能据此暂停或停发任何人的待遇；只供稽核人员决定先看哪里。"
NOTICE_ENGLISH: Final = (
    "A score says that something is rare. It is no finding, and nobody's payment may be held or stopped on it: it only "
    "tells an investigator where to look first."
)
# More people than this are in the table and not in the drawing.
_MOST_DRAWN: Final = 60
_WIDTH, _HEIGHT = 760, 460
# Lower scores read 0.0.
_LEAST_SHOWN: Final = 0.05
_KINDS: Final = {"account": ("账户", "account"), "address": ("地址", "address"), "employer": ("单位", "employer")}
_HEADINGS: Final = "".join(
    f"<th>{chinese}<br><span lang='en'>{english}</span></th>"
    for chinese, english in (
        ("序号", "no."),
        ("姓名", "name"),
        ("证件号码", "identity number"),
        ("地区", "region"),
        ("评分", "score"),
        ("共用", "shares"),
    )
)
_STYLE: Final = """
body{font:16px/1.6 "Noto Sans CJK SC","Source Han Sans SC","Microsoft YaHei",sans-serif;margin:2rem auto;
max-width:72rem;padding:0 1rem;color:#1a1a1a;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2.5rem}
.notice{border-left:.4rem solid #8a4b00;background:#fff6e8;padding:.6rem 1rem}.en{color:#444}
svg{width:100%;height:auto;border:1px solid #bbb;background:#fcfcfc}
table{border-collapse:collapse;width:100%;margin:1rem 0}
th,td{border:1px solid #bbb;padding:.3rem .5rem;text-align:left;vertical-align:top}th{background:#eef2f6}
td.n{text-align:right;font-variant-numeric:tabular-nums}.edge{stroke:#9aa5b1}.person{fill:#2b6cb0;stroke:#1a1a1a}
.odd{fill:#b83280;stroke:#1a1a1a;stroke-width:2}.thing{fill:#fff;stroke:#1a1a1a;stroke-width:1.5}
text{font-size:12px;fill:#1a1a1a}
@media print{h2{break-before:page}body{margin:0}}
"""


def network_page(found: Network, scores: Scores, shown: Mapping[int, ShownPerson]) -> str:
    """Draw the listed components with the people in them.

    Args:
        found: The network.
        scores: The run it was made of.
        shown: What may be shown of each payment row; of all rows that stand for the people of listed components.
    """
    counted = (
        f"<p>共用账户 {found.accounts:,}，共用地址 {found.addresses:,}，小单位 {found.employers:,}，"
        f"连成 {found.total:,} 组；另有 {found.left_out:,} 个账户、地址或单位人数过多，不作连线。"
        f"以下列出最值得先看的 {len(found.components)} 组。<br><span class='en' lang='en'>"
        f"{found.accounts:,} accounts, {found.addresses:,} addresses and {found.employers:,} small employers make "
        f"{found.total:,} groups; {found.left_out:,} things shared by too many join nobody. The "
        f"{len(found.components)} to look at first follow.</span></p>"
    )
    parts = [
        "<!doctype html><html lang='zh-CN'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width,initial-scale=1'>",
        f"<title>关联网络 · Network</title><style>{_STYLE}</style></head><body>",
        "<h1>关联网络 <span class='en' lang='en'>Network of what is shared</span></h1>",
        f"<p class='notice'>{NOTICE_CHINESE}<br><span class='en' lang='en'>{NOTICE_ENGLISH}</span></p>",
        counted,
    ]
    if not found.components:
        parts.append("<p>没有共用账户、地址的人。 <span class='en' lang='en'>Nobody shares anything.</span></p>")
    for number, component in enumerate(found.components, start=1):
        parts += _component(number, component, scores, shown)
    parts.append("</body></html>\n")
    return "\n".join(parts)


def _component(number: int, component: Component, scores: Scores, shown: Mapping[int, ShownPerson]) -> list[str]:
    order = sorted(component.people, key=lambda at: (-float(scores.scores[at]), at))
    drawn = order[:_MOST_DRAWN]
    names = _names(component, scores)
    heading = f"第 {number} 组：{len(order)} 人 <span class='en' lang='en'>Group {number}: {len(order)} people</span>"
    parts = [
        f"<h2 id='g{number}'>{heading}</h2>",
        _drawing(number, component, drawn, scores, names),
    ]
    if len(order) > len(drawn):
        parts.append(
            f"<p>图中只画评分最高的 {len(drawn)} 人，其余见表。<span class='en' lang='en'> The drawing shows the "
            f"{len(drawn)} highest; the table has all.</span></p>"
        )
    parts.append(f"<table><thead><tr>{_HEADINGS}</tr></thead><tbody>")
    links = _of_people(component)
    for place, at in enumerate(order, start=1):
        person = shown.get(int(scores.people.row[at]))
        told = (person.name, person.identity_number, person.region) if person else ("", "", "")
        cells = "".join(f"<td>{escape(one)}</td>" for one in told)
        shares = "、".join(escape(names[link]) for link in links.get(at, ()))
        parts.append(
            f"<tr><td class='n'>{place}</td>{cells}<td class='n'>{scores.scores[at]:.1f}</td><td>{shares}</td></tr>"
        )
    parts.append("</tbody></table>")
    return parts


def _names(component: Component, scores: Scores) -> dict[Link, str]:
    """Name the shared things: accounts and addresses by number within the group, employers by name."""
    names: dict[Link, str] = {}
    counts: dict[str, int] = {}
    for link in component.links:
        counts[link.kind] = counts.get(link.kind, 0) + 1
        kind = " ".join(_KINDS[link.kind])
        name = scores.names.employer[link.key] if link.kind == "employer" else str(counts[link.kind])
        names[link] = f"{kind} {name}（{len(link.people)}）"
    return names


def _of_people(component: Component) -> dict[int, list[Link]]:
    found: dict[int, list[Link]] = {}
    for link in component.links:
        for at in link.people:
            found.setdefault(at, []).append(link)
    return found


def _drawing(number: int, component: Component, drawn: list[int], scores: Scores, names: dict[Link, str]) -> str:
    node = {at: place for place, at in enumerate(drawn)}
    links = [link for link in component.links if sum(at in node for at in link.people) > 1]
    edges = [(node[at], len(drawn) + place) for place, link in enumerate(links) for at in link.people if at in node]
    places = lay_out(len(drawn) + len(links), edges) * (_WIDTH, _HEIGHT)
    lines = "".join(
        f"<line class='edge' x1='{places[a][0]:.0f}' y1='{places[a][1]:.0f}' x2='{places[b][0]:.0f}' "
        f"y2='{places[b][1]:.0f}'/>"
        for a, b in edges
    )
    marks = "".join(_person(places[place], place + 1, float(scores.scores[at])) for place, at in enumerate(drawn))
    things = "".join(_thing(places[len(drawn) + place], link, names[link]) for place, link in enumerate(links))
    title = f"第 {number} 组的关联图：{len(drawn)} 人与其共用的账户、地址、单位 / the links of group {number}"
    return (
        f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT}' role='img' aria-label='{title}'><title>{title}</title>"
        f"{lines}{things}{marks}</svg><p>圆为人，标序号；评分大于 0 的圆较大、边较粗。"
        "方为账户，菱为地址，三角为单位，括号内为人数。"
        "<span class='en' lang='en'> Circles are people, numbered as in the table, larger with a score; squares "
        "accounts, diamonds addresses, triangles employers, with how many share them.</span></p>"
    )


def _person(place: tuple[float, float], number: int, score: float) -> str:
    x, y = place
    kind, radius = ("odd", 9) if score >= _LEAST_SHOWN else ("person", 6)
    return (
        f"<circle class='{kind}' cx='{x:.0f}' cy='{y:.0f}' r='{radius}'/>"
        f"<text x='{x + 11:.0f}' y='{y + 4:.0f}'>{number}</text>"
    )


def _thing(place: tuple[float, float], link: Link, name: str) -> str:
    x, y = place
    corners = {
        "account": ((-8, -8), (8, -8), (8, 8), (-8, 8)),
        "address": ((0, -10), (10, 0), (0, 10), (-10, 0)),
        "employer": ((0, -10), (10, 8), (-10, 8)),
    }[link.kind]
    points = " ".join(f"{x + dx:.0f},{y + dy:.0f}" for dx, dy in corners)
    return f"<polygon class='thing' points='{points}'/><text x='{x + 12:.0f}' y='{y - 6:.0f}'>{escape(name)}</text>"
