"""The fetcher's settings."""

from datetime import timedelta

from pydantic import Field, HttpUrl, SecretStr

from common.settings import CommonSettings, Seconds


class FetcherSettings(CommonSettings):
    source_url: HttpUrl
    source_token: SecretStr | None = None
    source_page_size: int = Field(default=200, ge=1, le=1000)
    source_timeout: float = Field(default=30.0, gt=0, description="seconds for one page")
    source_retries: int = Field(default=5, ge=0, description="further tries of a page before the listing fails")
    source_id_field: str = "id"
    source_modified_field: str = "modified_at"
    source_document_field: str = "ubl"
    watermark_overlap: Seconds = timedelta(hours=48)
    full_listing_every: Seconds = timedelta(days=7)
    administrations: frozenset[str] = Field(default=frozenset(), description="enterprise numbers that are ours")
    default_administration: str | None = None
    both_ours: str = Field(default="SALE", pattern="^(SALE|PURCHASE)$")
    jobs_at_once: int = Field(default=4, ge=1, le=32)
    job_lease: Seconds = timedelta(seconds=15)
    parse_workers: int = Field(default=1, ge=1, le=16)
    dry_run_deadline: Seconds = timedelta(hours=1)
    reach_every: Seconds = Field(
        default=timedelta(minutes=5), gt=timedelta(0), description="how often the source is asked whether it answers"
    )
