"""Runs telemelya, an emulator of the Bot API, on a Redis and an S3 store in memory.

``python emulator.py PORT`` with an interpreter that has telemelya, fakeredis and moto.
"""

from __future__ import annotations

import os
import sys

import fakeredis
import redis.asyncio
import uvicorn
from moto.server import ThreadedMotoServer


def main(port: int) -> None:
    objects = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    objects.start()
    host, objects_port = objects.get_host_and_port()
    os.environ["MINIO_ENDPOINT"] = f"{host}:{objects_port}"
    memory = fakeredis.FakeAsyncRedis(decode_responses=True)
    redis.asyncio.from_url = lambda *_, **__: memory
    from telemelya.server.app import app

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(int(sys.argv[1]))
