# The annotation server. Build: docker build -t fewclicks .
# Run on one folder:
#   docker run -p 8000:8000 -v "$PWD/photos:/pictures" fewclicks --token CHOOSE_ONE
FROM python:3.11-slim

RUN useradd --create-home annotator
WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src ./src
RUN pip install --no-cache-dir -c constraints.txt '.[postgres]'

USER annotator
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD python -c "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=4)"
ENTRYPOINT ["fewclicks", "annotate", "/pictures", "--host", "0.0.0.0", "--no-browser"]
