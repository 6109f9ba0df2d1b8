"""The party that asks a server what a mail program would ask, stage by stage."""

from mailproxy.talk.probe.asked import Asked
from mailproxy.talk.probe.asking import Action, Close, Send, StartTls
from mailproxy.talk.probe.login import Login
from mailproxy.talk.probe.offers import Offers
from mailproxy.talk.probe.party import Probe
from mailproxy.talk.probe.stages import Stage, State, Step

__all__ = ["Action", "Asked", "Close", "Login", "Offers", "Probe", "Send", "Stage", "StartTls", "State", "Step"]
