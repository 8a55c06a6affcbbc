"""Registration."""

from fastapi import APIRouter, status

from app.core.errors import problem_responses
from app.core.security import SecurityDep
from app.db.session import WriteSession
from app.outbox.outbox import Outbox
from app.users.errors import EmailTaken
from app.users.models import User
from app.users.schemas import Credentials, UserRead
from app.users.service import create_user
from app.users.tasks import send_welcome

router = APIRouter(prefix="/auth", tags=["auth"])


@router.post(
    "/register",
    status_code=status.HTTP_201_CREATED,
    response_model=UserRead,
    responses=problem_responses(EmailTaken),
)
async def register(credentials: Credentials, session: WriteSession, security: SecurityDep) -> User:
    """Open an account, and welcome its owner."""
    user = await create_user(
        session,
        security,
        email=credentials.email,
        password=credentials.password.get_secret_value(),
    )
    outbox = Outbox(session, user.id)
    await send_welcome.kicker().with_broker(outbox).kiq(user.id, user.email)
    return user
