"""Questions about customers, which a person has to answer."""

from __future__ import annotations

from siaghsync.messages.entry import Chapter, Entry, Said

_MEND_DOUBLE = Said(
    "یکی از دو رکورد زیادی است. رکورد اضافی را حذف کنید یا شماره‌اش را عوض کنید، سپس تلاش دوباره را بزنید.",
    "One of the two is too many. Delete it or give it another number, then try again.",
)

CUSTOMERS: Chapter = {
    "stranger": Entry(
        Said("زیر این شماره کس دیگری است", "Somebody else stands under this number"),
        (
            Said(
                "دو سیستم یک شماره را به دو مشتری داده‌اند.",
                "The two systems gave the same number to two customers.",
            ),
            Said("شماره در CRM اشتباه وارد شده است.", "The number was mistyped in the CRM."),
        ),
        Said(
            "اگر هر دو یک مشتری هستند پیوندشان دهید؛ اگر نه، شمارهٔ مشتری را در CRM درست کنید و دوباره تلاش کنید.",
            "If both are the same customer, link them; if not, put the number right in the CRM and try again.",
        ),
    ),
    "several_candidates": Entry(
        Said("بیش از یک نامزد برای پیوند هست", "More than one candidate to link with"),
        (
            Said(
                "چند رکورد همین کد ملی و نام، یا همین نشان را در یادداشت دارند.",
                "Several records have the same national code and name, or the same mark in their notes.",
            ),
        ),
        Said("نامزدی را که همین مشتری است انتخاب کنید.", "Choose the candidate that is this customer."),
    ),
    "number_twice": Entry(
        Said("این شماره در CRM دو بار آمده است", "The number stands on two CRM records"),
        (
            Said("یک مشتری دو بار وارد شده است.", "The customer was entered twice."),
            Said("شمارهٔ دیگری در نظر بوده است.", "Another number was meant."),
        ),
        _MEND_DOUBLE,
    ),
    "number_taken": Entry(
        Said(
            "شماره‌ای که باید بگیرد در CRM از آنِ مشتری دیگری است",
            "The number that it should get belongs to another customer in the CRM",
        ),
        (
            Said(
                "دو سیستم مشتریان تازه را جدا از هم شماره می‌زنند، و این شماره زودتر در CRM داده شده است.",
                "The two systems number new customers independently, and the CRM gave this number away first.",
            ),
        ),
        Said(
            "اگر در CRM رکوردی برای این طرف‌حساب هست، آن را پیوند دهید؛ اگر نیست، آن را در CRM با شماره‌ای آزاد بسازید و سپس "
            "همان را پیوند دهید.",
            "If the CRM has a record for this contact, link it; if not, make one there with a free number, then link that.",
        ),
    ),
    "double_in_crm": Entry(
        Said("این مشتری در CRM تکراری است", "A double in the CRM"),
        (
            Said(
                "دو رکورد CRM یک کد ملی و یک نام دارند.",
                "Two CRM records have the same national code and name.",
            ),
        ),
        _MEND_DOUBLE,
    ),
    "double_in_finance": Entry(
        Said("این طرف‌حساب در سیاق تکراری است", "A double in Siagh"),
        (
            Said(
                "دو طرف‌حساب سیاق یک کد ملی و یک نام، یا یک نشان دارند.",
                "Two contacts of Siagh have the same national code and name, or the same mark.",
            ),
        ),
        _MEND_DOUBLE,
    ),
    "missing_in_finance": Entry(
        Said("طرف‌حساب پیوندخورده در سیاق نیست", "The linked contact is gone from Siagh"),
        (
            Said("در سیاق حذف شده است.", "It was deleted in Siagh."),
            Said(
                "سیاق شرکت یا سال مالی دیگری را نشان می‌دهد.",
                "Siagh shows another company or fiscal year.",
            ),
        ),
        Said(
            "شاید در سیاق حذف شده باشد. اگر طرف‌حساب دیگری جای آن را گرفته، کد آن را پیوند دهید.",
            "It may have been deleted in Siagh. If another contact took its place, link that one's code.",
        ),
    ),
    "made_new_contact": Entry(
        Said("سیاق به جای ویرایش، طرف‌حساب تازه ساخت", "Siagh made a new contact instead of changing one"),
        (
            Said(
                "طرف‌حسابی که باید ویرایش می‌شد همان لحظه حذف یا ادغام شده است.",
                "The contact to be changed was deleted or merged at that very moment.",
            ),
        ),
        Said(
            "در سیاق ببینید کدام‌یک درست است، طرف‌حساب اضافی را حذف کنید و کد درست را پیوند دهید.",
            "See in Siagh which one is right, delete the other, and link the right code.",
        ),
    ),
    "code_taken": Entry(
        Said(
            "کدی که سیستم دیگر داد از آنِ دیگری است",
            "The other system answered with a code that belongs to somebody else",
        ),
        (
            Said(
                "به رکورد تازه کدی داده شد که پیش‌تر با رکورد دیگری پیوند خورده بود.",
                "The new record was given a code that was linked to another record already.",
            ),
        ),
        Said(
            "در سیاق ببینید این کد از آنِ کیست و کد درست را پیوند دهید.",
            "See in Siagh whose code this is, and link the right one.",
        ),
    ),
    "no_name": Entry(
        Said("نام ندارد", "It has no name"),
        (
            Said(
                "نام و نام خانوادگی آن خالی است، و سیستم دیگر نام می‌خواهد.",
                "All of its names are empty, and the other system demands one.",
            ),
        ),
        Said(
            "برای مشتری نام بنویسید: در CRM، و هنگام ورود اولیه در سیاق؛ پس از آن خودبه‌خود دوباره بررسی می‌شود.",
            "Give the customer a name in the CRM, or at the initial import in Siagh; it is then looked at again by itself.",
        ),
    ),
    "refused": Entry(
        Said("سیستم مقصد نپذیرفت", "The other system refuses it"),
        (
            Said(
                "یکی از مقادیر با قواعد آن سیستم نمی‌خواند.",
                "One of the values breaks a rule of that system.",
            ),
            Said(
                "کاربر آن سیستم اجازهٔ این کار را ندارد.",
                "The user there lacks the right to do this.",
            ),
        ),
        Said(
            "علت را در شرح برنامه ببینید، آن را برطرف کنید و دوباره تلاش کنید.",
            "See in the system's own words why, put that right, and try again.",
        ),
    ),
    "bad_record": Entry(
        Said("رکورد خوانا نیست", "The record can't be understood"),
        (
            Said(
                "فیلدی ندارد که باید داشته باشد، یا چیزی در آن است که با نوعش نمی‌خواند.",
                "A field that must be there is missing, or holds what does not fit its kind.",
            ),
        ),
        Said(
            "رکورد را در سیستم خودش درست کنید؛ پس از آن دوباره تلاش کنید.",
            "Put the record right in its own system, then try again.",
        ),
    ),
}
