"""Whether Grafana takes a dashboard's JSON as it is meant. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from tradebot_ops.monitoring.contract import panels

#: Begin a unit that the dashboard makes up itself, such as ``suffix:jobs``.
_OWN = ("prefix:", "suffix:", "si:", "time:", "count:", "currency:", "bool:")

#: The ids of Grafana's value formats, by the category in which its editor lists them.
_IDS = """
none string short sishort percent percentunit humidity dB candela hex0x hex sci locale pixel
accMS2 accFS2 accG
degree radian grad arcmin arcsec
areaM2 areaF2 areaMI2 acres hectares
flops mflops gflops tflops pflops eflops zflops yflops
ppm conppb conngm3 conngNm3 conμgm3 conμgNm3 conmgm3 conmgNm3 congm3 congNm3 conmgdL conmmolL
currencyUSD currencyGBP currencyEUR currencyJPY currencyRUB currencyUAH currencyBRL currencyDKK currencyISK currencyNOK
currencySEK currencyCZK currencyCHF currencyPLN currencyBTC currencymBTC currencyμBTC currencyZAR currencyINR
currencyKRW currencyIDR currencyPHP currencyVND currencyTRY currencyMYR currencyXPF currencyBGN currencyPYG currencyUYU
currencyILS currencyHKD currencyCNY currencyAUD currencyCAD
bytes decbytes bits decbits kbytes deckbytes mbytes decmbytes gbytes decgbytes tbytes dectbytes pbytes decpbytes
pps binBps Bps binbps bps KiBs Kibits KBs Kbits MiBs Mibits MBs Mbits GiBs Gibits GBs Gbits TiBs Tibits TBs Tbits
PiBs Pibits PBs Pbits
dateTimeAsIso dateTimeAsIsoNoDateIfToday dateTimeAsUS dateTimeAsUSNoDateIfToday dateTimeAsLocal
dateTimeAsLocalNoDateIfToday dateTimeAsSystem dateTimeFromNow
watt kwatt megwatt gwatt mwatt Wm2 voltamp kvoltamp voltampreact kvoltampreact watth watthperkg kwatth kwattm amph
kamph mamph joule ev amp kamp mamp volt kvolt mvolt dBm mohm ohm kohm Mohm farad µfarad nfarad pfarad ffarad henry
mhenry µhenry lumens
flowgpm flowcms flowcfs flowcfm litreh flowlpm flowmlpm lux
forceNm forcekNm forceN forcekN
Hs KHs MHs GHs THs PHs EHs
massmg massg masslb masskg masst
lengthmm lengthin lengthft lengthm lengthkm lengthmi
pressurembar pressurebar pressurekbar pressurepa pressurehpa pressurekpa pressurehg pressurepsi
radbq radci radgy radrad radusv radmsv radsv radrem radexpckg radr radusvh radmsvh radsvh
rotrpm rothz rotrads rotdegs
celsius fahrenheit kelvin
hertz ns µs ms s m h d dtdurationms dtdurations dthms dtdhms timeticks clockms clocks
cps ops reqps rps wps iops eps mps recps rowsps cpm opm reqpm rpm wpm epm mpm recpm rowspm
velocityms velocitykmh velocitymph velocityknot
mlitre litre m3 Nm3 dm3 gallons
bool bool_yes_no bool_on_off
"""
UNITS = frozenset(_IDS.split())


def faults(document: Mapping[str, Any]) -> Iterator[str]:
    """Faults that keep Grafana from showing the dashboard, in words."""
    if not isinstance(document.get("panels"), list):
        yield "it has no list of panels, as classic JSON has"
        return
    if not isinstance(document.get("schemaVersion"), int):
        yield "it has no schemaVersion"
    for panel in panels(document):
        for unit in _units(panel):
            if unit not in UNITS and not unit.startswith(_OWN):
                yield f"panel {panel.get('title', '')!r} has the unknown unit {unit!r}"


def _units(panel: Mapping[str, Any]) -> Iterator[str]:
    """Units of all fields, and of those with settings of their own."""
    config = panel.get("fieldConfig", {})
    if unit := config.get("defaults", {}).get("unit"):
        yield str(unit)
    for override in config.get("overrides", ()):
        for prop in override.get("properties", ()):
            if prop.get("id") == "unit":
                yield str(prop.get("value"))
