"""The names in a zip or on a disk as text, where nothing says in which encoding they are written."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Sequence
from functools import cache

_CODE_PAGES = (
    # East Asia, where one encoding serves MS-DOS and Windows alike
    *("cp932", "euc_jp", "gbk", "cp950", "big5hkscs", "cp949"),
    # MS-DOS, which is what Windows' own zip folders write, and Windows; the more widespread first
    *("cp850", "cp437", "cp1252", "cp852", "cp1250", "cp866", "cp1251", "cp857", "cp1254", "cp737", "cp1253"),
    *("cp862", "cp1255", "cp720", "cp1256", "cp874"),
)
_RARE_CODE_PAGES = (
    "cp775",
    "cp1257",
    "cp865",
    "cp861",
    "cp1258",
    "iso8859_15",
    "iso8859_2",
    "koi8_r",
    "mac_roman",
)

_IN_NAMES = frozenset(
    # Chinese, simplified and traditional
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔谭廖范汪陆金石戴贾韦夏邱方侯邹"
    "張劉陳楊黃趙吳孫馬羅鄭謝許鄧馮韓蕭葉蔣蘇呂盧鍾譚廖汪陸賈韋鄒"
    "明伟芳娜敏静丽强磊军洋勇艳杰娟涛超秀霞平刚桂英华玉兰文建国志小大晓春梅雪红鹏飞宇浩子轩雨欣怡佳俊思嘉一天海龙云山雅婷宗翰家豪冠美惠淑"
    "偉靜麗強軍艷傑濤剛華蘭國曉紅鵬飛軒龍雲銘瑋芬玲珍成德永信仁義良忠孝智中正光世立安心月星琪琳瑜婉瑩欽彥廷柏承宏育哲凱維翔"
    # Japanese
    "佐藤鈴木高橋田中伊渡辺山本村小加吉川松井清口斎斉野上原島池前石森阿部長谷後近坂遠青西福岡太三藤和見内金竹千久保宮今河崎酒平菊岩丸増"
    "一郎二太翔健大介子美香奈真由優花菜陽葵結衣蓮悠斗樹直裕康隆博浩誠恵智幸雄夫彦之助代江里沙織紀理絵咲"
    # Korean
    "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민진지나원천방공현함변염여추도소석선설마길연위표명기반라왕금옥육인맹제모"
    "준영수경동재호승상철희은혜미숙자순정훈진우현서연지민아윤하예은주원빈태형규종광찬섭용범욱린별솔슬봄보람"
)
"""Characters of which most names in East Asia are made."""

_ALPHABETS = (
    *("äöüß", "éèêëàâçîïôûùœ", "áéíóúñü", "ãõçáéíóúâêôà", "àèéìòù", "åäöøæ", "áæðéíóöúýþ", "ëïéöü"),
    *("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîșțşţ", "čćđšž"),
    *("çğıöşüİ", "āčēģīķļņšūž", "ąčęėįšųūž", "äõöüšž"),
)
"""Letters with marks, in lower case, that names in one language share."""

_MARKED = frozenset("".join(_ALPHABETS))
_SCRIPTS = {"CYRILLIC": 2.0, "GREEK": 2.0, "HEBREW": 1.8, "ARABIC": 1.8, "THAI": 1.2}
_EAST_ASIA = {"HANGUL": 1.0, "HIRAGANA": 1.3, "KATAKANA": 1.3}
_KANA_AND_KANJI = {"CJK", "HIRAGANA", "KATAKANA"}
_VOWELS = frozenset("аеиоуыэюяієαεηιουω")
_WRONG = -4.0
_SAMPLE = 500  # names are enough to judge by
_CERTAIN = 0.3  # by so much the best reading has to be ahead of the second
_WORD = re.compile(r"[^\W\d_]+(?:[\u0300-\u036f\u0591-\u05c7\u064b-\u0652\u0e31\u0e34-\u0e4e]+[^\W\d_]*)*")


@dataclasses.dataclass(frozen=True)
class Names:
    """Texts in the order of the bytes; encoding: what was taken; doubt: what else they may be, or empty.

    doubt: one of the names as two encodings read it, for a message, where both are plausible.
    """

    texts: tuple[str, ...]
    encoding: str
    doubt: str = ""


def decoded(raw: Sequence[bytes]) -> Names:
    """All names in one encoding: UTF-8 if it fits, else the likeliest code page, at last code page 437.

    The decision is one for all names, since one program wrote them; a single name says too little.
    """
    for encoding in ("ascii", "utf-8"):
        texts = _texts(raw, encoding)
        if texts is not None:
            return Names(texts, encoding)
    if _mostly_utf8(raw):
        return Names(tuple(map(_utf8_or_escaped, raw)), "utf-8")
    readings = _readings(raw)
    if not readings:
        return Names(tuple(name.decode("cp437") for name in raw), "cp437", _example(raw, "cp437"))
    (plausibility, encoding, texts), *others = readings
    if plausibility <= 0:
        return Names(texts, encoding, _example(raw, encoding))
    if others and plausibility - others[0][0] < _CERTAIN:
        return Names(texts, encoding, _example(raw, encoding, others[0][1]))
    return Names(texts, encoding)


def _texts(raw: Sequence[bytes], encoding: str) -> tuple[str, ...] | None:
    try:
        return tuple(name.decode(encoding) for name in raw)
    except UnicodeDecodeError:
        return None


def _mostly_utf8(raw: Sequence[bytes]) -> bool:
    """Whether the names are UTF-8 but for a few that are damaged."""
    beyond = [name for name in raw if not name.isascii()]
    return 2 * sum(_texts([name], "utf-8") is not None for name in beyond) > len(beyond)


def _utf8_or_escaped(name: bytes) -> str:
    """Bytes that are not UTF-8 become visible as %FF."""
    text = name.decode("utf-8", errors="surrogateescape")
    return re.sub("[\udc80-\udcff]", lambda found: f"%{ord(found[0]) - 0xDC00:02X}", text)


def _readings(raw: Sequence[bytes]) -> list[tuple[float, str, tuple[str, ...]]]:
    """The distinct ways to read the names as (plausibility, encoding, names), the most plausible first."""
    found: dict[tuple[str, ...], str] = {}
    for encoding in (*_CODE_PAGES, *_RARE_CODE_PAGES):
        texts = _texts(raw, encoding)
        if texts is not None:
            found.setdefault(texts, encoding)
    sample = [index for index, name in enumerate(raw) if not name.isascii()][:_SAMPLE]
    readings = [
        (_plausibility([texts[index] for index in sample]) - 0.4 * (name in _RARE_CODE_PAGES), name, texts)
        for texts, name in found.items()
    ]
    return sorted(readings, key=lambda reading: reading[0], reverse=True)


def _plausibility(texts: Sequence[str]) -> float:
    """How much the texts look like names in one language: the mean over all characters beyond ASCII."""
    words = [word for text in texts for word in _WORD.findall(text) if not word.isascii()]
    letters = [letter for word in words for letter in _beyond_ascii(word.lower())]
    others = [_WRONG for text in texts for letter in _WORD.sub("", text) if not letter.isascii()]
    alphabet = max(_ALPHABETS, key=lambda marked: sum(letter in marked for letter in letters))
    scores = [*others, *(score for word in words for score in _scores(word, alphabet))]
    if not scores:
        return 0.0
    return sum(scores) / len(scores) - 2.0 * (not _has_vowels(letters))


def _has_vowels(letters: Sequence[str]) -> bool:
    """Whether Cyrillic and Greek letters have as many vowels among them as in any language."""
    written = [letter for letter in letters if _script(letter) in ("CYRILLIC", "GREEK")]
    vowels = sum(unicodedata.normalize("NFD", letter)[0] in _VOWELS for letter in written)
    return not written or 0.25 * len(written) <= vowels <= 0.7 * len(written)


def _beyond_ascii(text: str) -> list[str]:
    return [character for character in text if not character.isascii()]


def _scores(word: str, alphabet: str) -> list[float]:
    beyond = _beyond_ascii(word)
    scripts = set(map(_script, filter(str.isalpha, word)))
    if not (scripts <= _KANA_AND_KANJI or len(scripts) == 1) or not _has_usual_case(word):
        return [_WRONG] * len(beyond)
    if scripts == {"LATIN"} and len(beyond) > 0.6 * len(word):  # a word in another script, misread
        return [_WRONG] * len(beyond)
    titled = word[0].isupper() and word[1:] == word[1:].lower()
    off = 0.0 if titled or not scripts & {"CYRILLIC", "GREEK"} else 0.5
    return [_score(character, alphabet) - off for character in beyond]


def _has_usual_case(word: str) -> bool:
    return word == word.lower() or word == word.upper() or word[1:] == word[1:].lower() or word.isascii()


def _score(character: str, alphabet: str) -> float:
    """How often names have this letter."""
    script = _script(character)
    if character in _IN_NAMES:
        return 2.0
    if script == "LATIN":
        forms = {character, character.lower()}
        return 2.0 if forms & set(alphabet) else 0.5 if forms & _MARKED else -1.0
    if script == "CJK":
        return 0.9 if _is_everyday(character) else -0.5
    return _EAST_ASIA.get(script, _SCRIPTS.get(script, -1.0))


def _is_everyday(character: str) -> bool:
    """Whether a character is on the first level of its country's own character set."""
    for encoding, first, last in (("gb2312", 0xB0, 0xD7), ("big5", 0xA4, 0xC6), ("euc_jp", 0xB0, 0xCF)):
        encoded = character.encode(encoding, errors="ignore")
        if len(encoded) == 2 and first <= encoded[0] <= last:
            return True
    return False


@cache
def _script(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0].partition("-")[0]


def _example(raw: Sequence[bytes], *encodings: str) -> str:
    """A name as these encodings read it, one on which they differ."""
    readings = ([name.decode(encoding) for encoding in encodings] for name in raw if not name.isascii())
    return " or ".join(f"'{reading}'" for reading in max(readings, key=lambda found: len(set(found))))
