# One image for both services. It starts the ingress; the worker is the same image with the command
#   python -m worker
FROM python:3.12-slim AS build
COPY requirements.txt requirements-genai.txt ./
# Wheels only, by the hashes of the lock: nothing is compiled and nothing is left to resolve. The
# discovery documents are 110 MB that only Google's older APIs read; pip stays behind in this stage.
RUN python -m venv --without-pip /opt/venv \
 && python -m pip --python /opt/venv/bin/python install --no-cache-dir --no-deps \
      --only-binary :all: --require-hashes -r requirements.txt -r requirements-genai.txt \
 && rm -r /opt/venv/lib/python3*/site-packages/googleapiclient/discovery_cache/documents

FROM python:3.12-slim
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY shared shared
COPY ingress ingress
COPY worker worker
COPY local local
# A number, so that Kubernetes' runAsNonRoot can see that it is nobody's account.
USER 65532:65532
EXPOSE 8080
CMD ["python", "-m", "ingress"]
