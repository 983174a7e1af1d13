"""Template sentences of the invented transcripts. Nobody said any of this."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Theme:
    """A theme's topic, question, and for each code its path and remarks."""

    topic: str
    question: str
    helps: tuple[str, tuple[str, ...]]
    hinders: tuple[str, tuple[str, ...]] | None


OPENING = "SYNTHETIC TRANSCRIPT – every sentence below is made from templates; nobody said it. 😀 marks a place where people laughed."
FILLERS = (
    "Well, let me think.",
    "It was a full year for us.",
    "That is what I would say.",
    "We talked about it over a café au lait once. 😀",
    "It differs from month to month – as you know.",
    "I can only speak for our center.",
)
THEMES = {
    "leadership_support": Theme(
        "leadership",
        "What did leaders do for the work?",
        (
            "Facilitators\\Leadership support",
            ("Our leadership cleared the calendar so that the team could meet.", "Leaders came to the table and tried things with us."),
        ),
        (
            "Barriers\\Leaders out of reach",
            ("It was hard to get a decision from those above us.", "Leadership had other matters on its mind."),
        ),
    ),
    "time_and_cover": Theme(
        "resources",
        "Was there time for the work?",
        (
            "Facilitators\\Paid time for the team",
            ("The hour on Thursday was paid, and that made it real.", "A float teacher took our rooms while we met."),
        ),
        ("Barriers\\No cover for rooms", ("Nobody could cover the room, so we met during nap.", "Time was always the first thing to go.")),
    ),
    "staff_turnover": Theme(
        "staffing",
        "How did staffing bear on the work?",
        ("Facilitators\\Stable team", ("The same people were there from the first day to the last.", "We kept our team, and that helped.")),
        (
            "Barriers\\Turnover and vacancies",
            ("Two of the team had left by spring.", "With open positions we started over again and again."),
        ),
    ),
    "team_working": Theme(
        "team",
        "How did the team work together?",
        (
            "Facilitators\\Learning with colleagues",
            ("We watched each other and borrowed what worked.", "The other centers gave us the idea."),
        ),
        ("Barriers\\Working apart", ("Each room went its own way in the end.", "We seldom sat down together.")),
    ),
    "family_voice": Theme(
        "families",
        "What part did families have?",
        ("Facilitators\\Families take part", ("A parent on the team changed how we ask things.", "Families told us what worked at home.")),
        ("Barriers\\Families hard to reach", ("Most families work two jobs and cannot come.", "We wrote to families and heard little.")),
    ),
    "use_of_data": Theme(
        "data",
        "How did you use your numbers?",
        (
            "Facilitators\\Numbers guide the work",
            ("The run chart on the wall told us when to stop.", "We looked at the numbers before we chose the next test."),
        ),
        ("Barriers\\Counting is a burden", ("Counting took time we did not have.", "Nobody was sure what the numbers meant.")),
    ),
    "coaching_help": Theme(
        "coaching",
        "What was coaching like?",
        (
            "Facilitators\\Coach at our side",
            ("The coach stayed with one small thing until it worked.", "Having a coach in the room gave us courage."),
        ),
        (
            "Mixed\\Coaching with mixed results",
            ("Coaching was useful for some of us and a chore for others.", "The coach changed halfway, for better and worse."),
        ),
    ),
    "technology_fit": Theme(
        "technology",
        "How did the technology serve you?",
        ("Facilitators\\Devices that work", ("The shared page was easy once we had tablets.", "Online calls saved us the drive.")),
        ("Barriers\\Devices and access", ("Our connection dropped in every second call.", "There was one laptop for nine of us.")),
    ),
    "stress_and_pace": Theme(
        "climate",
        "How do people feel at work?",
        ("Facilitators\\Supportive climate", ("People look after each other here on hard days.", "You can say that something went wrong.")),
        ("Barriers\\Stress and pace", ("Everybody is tired, and it shows.", "The pace never let up this year.")),
    ),
    "practice_change": Theme(
        "practice",
        "What is different in the rooms?",
        ("Outcomes\\Change of practice", ("Children now name what they feel before I do.", "I say what to do rather than what to stop.")),
        None,
    ),
    "keeping_it_up": Theme(
        "sustaining",
        "What will stay?",
        (
            "Facilitators\\Built into routines",
            ("It is part of the day now, with or without the project.", "New staff learn it in their first week."),
        ),
        ("Barriers\\Slipping back", ("Without the meetings we slide back.", "Nobody reminds us any longer.")),
    ),
}
