# Social Hub in one image: web, worker, beat and every command of manage.py. docker-compose.yml says how they go together.
# PostgreSQL and Redis are servers of their own there; of the embedded ones' wheels it uses pg_dump, pg_restore and psql.
FROM python:3.11-slim-bookworm AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements.txt /tmp/requirements.txt
RUN python -m venv /venv && /venv/bin/pip install -r /tmp/requirements.txt

FROM python:3.11-slim-bookworm
# Nothing of this belongs to the user that it runs as, and nothing is written but below /tmp: the root may be read-only.
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin social-hub
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DATA_DIR=/app/data DEMO=0 LOG_FORMAT=json
WORKDIR /app
COPY --from=packages /venv /venv
COPY . .
# Keys that this step makes for itself go with its folder; the image holds none.
RUN python -m compileall -q /app \
    && DATA_DIR=/tmp/build DATABASE_URL=postgres://none@localhost/none REDIS_URL=redis://localhost \
       python manage.py prepare --static \
    && mkdir data && mv /tmp/build/static /tmp/build/static.mark data/ && rm -r /tmp/build
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
    CMD ["python", "-m", "socialhub.embedded.ask"]
CMD ["uvicorn", "socialhub.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--lifespan", "off", "--timeout-keep-alive", "75", \
     "--timeout-graceful-shutdown", "10", "--log-level", "warning", "--no-access-log", "--no-server-header", \
     "--no-proxy-headers"]
