"""What the search box offers while somebody writes."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from mailhost.webmail.door import Request, signed_in
from mailhost.webmail.searching import suggesting


@require_safe
@signed_in
def suggest(request: Request) -> HttpResponse:
    """Show what may follow ?q=."""
    found = suggesting.suggestions(request.user, request.GET.get("q", ""))
    return render(request, "webmail/list/suggestions.html", {"found": found})
