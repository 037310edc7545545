"""Pictures of every screen, light and dark, of a running console: `make pictures`.

Asks Chromium to sign in at ADDRESS as `admin` with OCADMIN_ADMIN_PASSWORD, and writes build/pictures/*.png.
"""

import os
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ADDRESS = os.environ.get("ADDRESS", "http://127.0.0.1:8000")
FOLDER = Path("build/pictures")
SCREENS = {
    "overview": "/",
    "numbers": "/numbers/?q=%2B44",
    "numbers-emergency": "/numbers/?tab=emergency",
    "numbers-released": "/numbers/?tab=released",
    "number": "/numbers/+442079460109/",
    "number-capabilities": "/numbers/+442079460109/?tab=capabilities",
    "number-routing": "/numbers/+442079460109/?tab=routing",
    "number-history": "/numbers/+442079460109/?tab=history",
    "approvals": "/approvals/",
    "customers": "/customers/",
    "customer": "/customers/41e62081-1805-5aab-814a-ea598badf330/",
    "calling-profiles": "/calling-profiles/",
    "calling-profile": "/calling-profiles/3f0c9f4e-52a7-4c0b-9a51-7d6a1be0c8e2/",
    "emergency-addresses": "/emergency-addresses/",
    "sbcs": "/sbcs/",
    "sbc": "/sbcs/11/",
    "where": "/sbcs/where/?number=%2B442079460109",
    "drift": "/drift/",
    "tasks": "/tasks/",
    "task": "/tasks/1/",
    "webhooks": "/webhooks/",
    "api": "/api/docs",
    "preferences": "/me/",
}


def shoot(browser: Browser, scheme: str, password: str) -> None:
    """All screens in one colour scheme."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=scheme).new_page()
    page.goto(f"{ADDRESS}/accounts/login/")
    page.screenshot(path=FOLDER / f"sign-in-{scheme}.png")
    page.fill("[name=login]", "admin")
    page.fill("[name=password]", password)
    page.click("form button[type=submit]")
    page.wait_for_load_state("networkidle")
    for name, path in SCREENS.items():
        answer = page.goto(ADDRESS + path)
        if answer is None or not answer.ok:
            sys.exit(f"{path} answered {answer.status if answer else 'nothing'}")
        page.wait_for_load_state("networkidle")
        page.screenshot(path=FOLDER / f"{name}-{scheme}.png")


def main() -> None:
    """Light, then dark."""
    password = os.environ.get("OCADMIN_ADMIN_PASSWORD")
    if not password:
        sys.exit("Set OCADMIN_ADMIN_PASSWORD to the password of admin at ADDRESS.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            shoot(browser, scheme, password)
        browser.close()


if __name__ == "__main__":
    main()
