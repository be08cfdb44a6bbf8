"""What the fields of customers and documents are called, in both languages: field -> (Persian, English)."""

from __future__ import annotations

FIELDS: dict[str, tuple[str, str]] = {
    # both sides of a customer
    "crm_id": ("شناسهٔ CRM", "CRM id"),
    "finance_code": ("کد سیاق", "Siagh code"),
    "customer_number": ("شمارهٔ مشتری", "customer number"),
    "kind": ("نوع", "kind"),
    "names": ("نام‌ها", "names"),
    "phones": ("تلفن‌ها", "phones"),
    "taken_by": ("متعلق به", "belongs to"),
    # the finance form
    "fullname": ("نام", "name"),
    "mobileno": ("تلفن همراه", "mobile"),
    "telno": ("تلفن", "phone"),
    "passno": ("کد / شناسهٔ ملی", "national code"),
    "email": ("ایمیل", "e-mail"),
    "address": ("نشانی", "address"),
    "pocode": ("کد پستی", "postal code"),
    "websiteaddress": ("وب‌سایت", "website"),
    "tozihat": ("یادداشت", "notes"),
    "taraftype": ("نوع طرف‌حساب", "kind of contact"),
    "tmpid": ("شمارهٔ مرجع", "reference number"),
    "isactive": ("فعال", "active"),
    "gender": ("جنسیت", "gender"),
    "codeostan": ("استان", "province"),
    "codeshahr": ("شهر", "city"),
    "countrycode": ("کشور", "country"),
    # the CRM's fields
    "nickName": ("نام", "name"),
    "firstName": ("نام کوچک", "first name"),
    "lastName": ("نام خانوادگی", "last name"),
    "customerNumber": ("شمارهٔ مشتری", "customer number"),
    "nationalCode": ("کد / شناسهٔ ملی", "national code"),
    "phoneContacts": ("تلفن‌ها", "phones"),
    "addressContacts": ("نشانی‌ها", "addresses"),
    "description": ("شرح", "description"),
    "website": ("وب‌سایت", "website"),
    "categories": ("دسته‌ها", "categories"),
    "alternativeEmail": ("ایمیل دوم", "second e-mail"),
    # documents
    "number": ("شماره", "number"),
    "subject": ("موضوع", "subject"),
    "source": ("نوع سند", "kind of document"),
    "type_code": ("کد نوع", "type code"),
    "customer": ("مشتری", "customer"),
    "date": ("تاریخ", "date"),
    "sale_model": ("مدل فروش", "sale model"),
    "sale model": ("مدل فروش", "sale model"),
    "discount": ("تخفیف", "discount"),
    "additional_costs": ("هزینهٔ اضافی", "additional costs"),
    "additional costs": ("هزینهٔ اضافی", "additional costs"),
    "vat": ("مالیات", "tax"),
    "tax": ("مالیات", "tax"),
    "toll": ("عوارض", "toll"),
    "net": ("خالص", "net"),
    "net_with_tax": ("خالص با مالیات", "net with tax"),
    "rows": ("ردیف‌ها", "rows"),
    "product_code": ("کد کالا", "product code"),
    "product_name": ("کالا", "product"),
    "product": ("کالا", "product"),
    "unit": ("واحد", "unit"),
    "quantity": ("تعداد", "quantity"),
    "unit_price": ("بهای واحد", "unit price"),
    "unit price": ("بهای واحد", "unit price"),
    "key": ("کلید سیاق", "Siagh key"),
}

AMOUNTS = frozenset(
    {"discount", "additional_costs", "additional costs", "vat", "tax", "toll", "net", "net_with_tax", "unit_price"}
)
"""Fields that hold rials, shown grouped by thousands."""
