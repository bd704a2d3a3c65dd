FROM python:3.12-slim AS build
WORKDIR /build
# What it depends on is a layer of its own, so that a change of the code does not install it again.
COPY constraints.txt pyproject.toml ./
RUN python -m venv /opt/shibori \
    && python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > dependencies.txt \
    && /opt/shibori/bin/pip install --no-cache-dir -c constraints.txt -r dependencies.txt
COPY . .
RUN /opt/shibori/bin/pip install --no-cache-dir --no-deps .

FROM python:3.12-slim
COPY --from=build /opt/shibori /opt/shibori
RUN useradd --system --uid 10001 --create-home --home-dir /home/shibori shibori \
    && mkdir /data && chown shibori /data
USER shibori
WORKDIR /data
ENV PATH=/opt/shibori/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MPLCONFIGDIR=/tmp/matplotlib \
    SHIBORI_HOST=0.0.0.0 \
    SHIBORI_PORT=8000 \
    SHIBORI_DATABASE_URL=sqlite:////data/shibori.db
EXPOSE 8000
# One line of Python: the slim image has no curl.
HEALTHCHECK --interval=5s --timeout=4s --start-period=30s --retries=6 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['SHIBORI_PORT'] + '/readyz', timeout=3)"]
ENTRYPOINT ["shibori"]
CMD ["serve"]
