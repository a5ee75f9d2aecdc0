"""The program of the private side's service, as a container runs it: HTTP on 8000, WebSocket echo on 8001."""
import signal
import sys

from service import Service

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
Service(port=8000, chat=8001, address="0.0.0.0")
print("serving", flush=True)
signal.pause()
