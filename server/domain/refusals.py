"""Every refusal Pingyi can give: one row each, with a stable code, a status and a sentence.

The code is what programs rely on, the sentence is what a person reads, in Chinese or English.
`docs/refusals.md` is made from this table and a test fails when the two differ. A sentence may
hold `{names}` that are filled from the refusal's detail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from server.domain import words
from server.domain.words import Words


@dataclass(frozen=True)
class Row:
    """One row of the catalogue: the HTTP status and the sentence in both languages. `words` says
    what people call a state that stands in the detail by its code: {name in the detail: words}."""

    status: int
    zh: str
    en: str
    words: Mapping[str, Words] = field(default_factory=dict)


CATALOGUE: Mapping[str, Row] = {
    # Who is asking
    "not_signed_in": Row(401, "请先登录。", "Sign in first."),
    "bad_token": Row(401, "令牌无效或已撤销。", "The token is not valid or was revoked."),
    "bad_login": Row(401, "账号或密码不对。", "The account or the password is wrong."),
    "not_allowed": Row(403, "您没有做这件事的权限。", "You are not allowed to do this."),
    "bad_origin": Row(403, "请求来自别的网站，已拒绝。", "The request came from another site."),
    "viewer_needed": Row(
        401, "请先打开本页再操作。", "Acting here needs a viewer token; watching does not."
    ),
    "roles_conflict": Row(
        409, "同一账号不能兼任“{held}”和“{wanted}”。", "One account may not be {held} and {wanted}."
    ),
    "card_unknown": Row(
        404, "没有这张入场卡，请核对后再试。", "There is no such card: check the code."
    ),
    "card_used": Row(
        409,
        "这张入场卡已经用过，请现场工作人员重新发卡。",
        "This card has already been used: ask the staff for a new one.",
    ),
    "card_expired": Row(
        409,
        "这张入场卡已过期，请现场工作人员重新发卡。",
        "This card has expired: ask the staff for a new one.",
    ),
    "card_early": Row(
        409,
        "签到还没有开始，请稍后再试；入场卡没有用掉。",
        "Check-in has not begun: try again later, the card is still good.",
    ),
    "setup_unknown": Row(
        404,
        "设置链接无效，请用服务最近一次启动时打印的链接。",
        "This is no set-up link: use the one printed when the server last started.",
    ),
    "setup_expired": Row(
        409,
        "设置链接已过期，重新启动服务会打印新的链接。",
        "The set-up link has expired: starting the server again prints a new one.",
    ),
    "setup_done": Row(409, "系统已经设置过管理员。", "The first administrator is already set up."),
    "password_weak": Row(
        422, "密码至少 {least} 个字符。", "A password needs at least {least} characters."
    ),
    "password_wrong": Row(422, "原密码不对。", "The present password is wrong."),
    "account_own": Row(
        409,
        "这是您自己的账号：请用“修改密码”，也不能停用自己。",
        "This is your own account: change its password yourself; nobody disables himself.",
    ),
    "account_above": Row(
        403,
        "这个账号持有您不能授予的角色：请找能授予这些角色的管理员，系统管理员的密码在服务器上用"
        " pingyi password 重设。",
        "This account holds a role that you may not grant: ask an administrator who may; a system"
        " administrator's password is set on the server with pingyi password.",
    ),
    "account_last": Row(
        409,
        "这是最后一个系统管理员账号，不能停用。",
        "This is the last system administrator: it cannot be disabled.",
    ),
    "login_unknown": Row(404, "没有登录名“{login}”。", "Nobody has the login name “{login}”."),
    "login_taken": Row(409, "这个登录名已有人用。", "This login name is taken."),
    # What is asked for
    "not_found": Row(404, "没有这一项。", "There is no such thing here."),
    "method_not_allowed": Row(405, "这个地址不支持这种操作。", "This address does not do that."),
    "malformed": Row(422, "内容有误：{place}", "Something is wrong: {place}"),
    "unknown_field": Row(422, "不认识字段“{field}”。", "The field {field} is not known."),
    "bad_json": Row(422, "无法读懂这段 JSON。", "This is not readable JSON."),
    "too_large": Row(413, "内容太大。", "This is too large."),
    "too_many": Row(429, "操作太频繁，请稍后再试。", "Too many at once; try again shortly."),
    # Keys and versions
    "key_missing": Row(422, "缺少幂等键。", "An Idempotency-Key is needed here."),
    "key_malformed": Row(
        422,
        "幂等键须为 8–64 个字母、数字、下划线或连字符。",
        "A key has 8–64 of A–Z, a–z, 0–9, _ and -.",
    ),
    "key_reused": Row(
        422, "这个幂等键已用于另一项内容。", "This key was already used for something else."
    ),
    "version_missing": Row(422, "缺少版本号。", "The version is missing."),
    "version_stale": Row(
        409, "内容已被别人改过，请看最新的再改。", "It was changed meanwhile; look again first."
    ),
    "outcome_unknown": Row(
        503,
        "结果未知：请用同一个键重发一次。",
        "Committed or not is unknown: send it again with the same key.",
    ),
    "data_in_use": Row(
        503,
        "已有一个进程在用这个数据目录。多进程需要 PostgreSQL。",
        "Another process serves this data folder: several need PostgreSQL.",
    ),
    "secret_differs": Row(
        503,
        "数据库使用的密钥与本进程不同：请用原来的 PINGYI_SECRET，或把原来的 secret 文件放回数据目录。",
        "The database was made with another secret: start with its PINGYI_SECRET, or put its file"
        " `secret` back into the data folder.",
    ),
    "parts_need_both": Row(
        503,
        "多个进程需要同一个 PostgreSQL 和同一个 Redis：请设置 PINGYI_DATABASE_URL 和"
        " PINGYI_REDIS_URL，或只运行 pingyi serve（SQLite 只允许一个进程写）。",
        "Several processes need one PostgreSQL and one Redis: set PINGYI_DATABASE_URL and"
        " PINGYI_REDIS_URL, or run pingyi serve alone (SQLite lets one process write).",
    ),
    "database_url_wrong": Row(
        503,
        "PINGYI_DATABASE_URL 不是可用的数据库地址：请写成 postgresql://用户:密码@主机/数据库。",
        "PINGYI_DATABASE_URL names no database that this version knows: write"
        " postgresql://USER:PASSWORD@HOST/DATABASE.",
    ),
    "database_unreachable": Row(
        503,
        "数据库没有应答：请检查它是否在运行，以及 PINGYI_DATABASE_URL 中的主机和端口。",
        "The database does not answer: see whether it runs, and whether PINGYI_DATABASE_URL names"
        " its host and port.",
    ),
    "database_denied": Row(
        503,
        "数据库拒绝登录：请检查 PINGYI_DATABASE_URL 中的用户和密码，以及该用户的权限。",
        "The database refuses this user: check the user and password in PINGYI_DATABASE_URL, and"
        " what that user may do.",
    ),
    "database_missing": Row(
        503,
        "PINGYI_DATABASE_URL 指定的数据库不存在：请先用 createdb 建立。",
        "The database that PINGYI_DATABASE_URL names does not exist: make it with createdb first.",
    ),
    "database_broken": Row(
        503,
        "数据目录里的 pingyi.db 不是完好的数据库：请恢复备份。",
        "pingyi.db in the data folder is not a sound database: put a copy back.",
    ),
    "database_unwritable": Row(
        503,
        "数据目录里的 pingyi.db 无法读写：请检查权限和磁盘。",
        "pingyi.db in the data folder cannot be read or written: check its owner and the disk.",
    ),
    "schema_newer": Row(
        503,
        "数据库属于更新的版本：请安装那个版本，或恢复升级前的备份。",
        "The database belongs to a newer release: install that one, or put back the copy made"
        " before the upgrade.",
    ),
    "schema_older": Row(
        503,
        "数据库是较早版本的结构；请先运行 pingyi migrate（先备份）。",
        "The database has the schema of an earlier version: run pingyi migrate first (after a backup).",
    ),
    "hearing_not_here": Row(
        404,
        "{where} 中没有场次“{slug}”，请核对 --hearing 和 PINGYI_DATA。",
        "There is no hearing “{slug}” in {where}: check --hearing and PINGYI_DATA.",
    ),
    "disk_full": Row(
        503,
        "磁盘已满：请腾出空间后再启动。",
        "The disk is full: make room, then start again.",
    ),
    "file_unusable": Row(
        503,
        "文件 {file} 不能使用（{why}）：请检查它是否存在，以及是否属于运行 Pingyi 的用户。",
        "The file {file} cannot be used ({why}): see that it is there and belongs to the user that"
        " runs Pingyi.",
    ),
    "redis_wrong": Row(
        503,
        "PINGYI_REDIS_URL 处应答的不是可用的 Redis：请检查地址、端口和密码。",
        "What answers at PINGYI_REDIS_URL is no Redis that takes this process: check its address,"
        " port and password.",
    ),
    "not_ready": Row(
        503, "暂时打不开，请稍后再试。", "This cannot be opened just now: please try again soon."
    ),
    # Hearing and run of show
    "rounds_open": Row(
        409,
        "还有评价轮次没有截止或没有计票，请先截止或作废。",
        "A round still takes ballots or is not tallied; close or void it first.",
    ),
    "hearing_step_illegal": Row(
        409,
        "场次现在是“{now}”，不能变为“{wanted}”。",
        "The hearing is “{now}”: it cannot become “{wanted}”.",
        {"now": words.HEARING, "wanted": words.HEARING},
    ),
    "hearing_not_live": Row(409, "场次没有在进行。", "The hearing is not under way."),
    "hearing_archived": Row(409, "场次已归档，不能再改。", "The hearing is archived."),
    "run_illegal": Row(409, "现在不能开始新的一轮演练或正式场次。", "A new run cannot begin now."),
    "rehearsal_not_allowed": Row(409, "议程文件不允许演练。", "The show allows no rehearsal."),
    "run_changed": Row(
        409,
        "已换到另一场（演练或正式），这一操作没有计入，请重新操作。",
        "Another run has begun (rehearsal or real): this was not counted; do it again.",
    ),
    "item_unknown": Row(422, "议程里没有这一项。", "There is no such agenda item."),
    "step_unknown": Row(422, "这一项没有这个环节。", "This item has no such step."),
    "item_past": Row(409, "已经开始或完成的议程不能再移动。", "An item begun or done stays put."),
    "order_incomplete": Row(
        422, "新的顺序须恰好包含全部未开始的议程。", "The order must name each coming item once."
    ),
    "slug_taken": Row(409, "这个网址简称已被使用。", "This address name is taken."),
    "lease_elsewhere": Row(
        409,
        "“{lease}”的控制权在{holder}手中，可一键接管。",
        "{holder} controls “{lease}”; take it over.",
        {"lease": words.LEASE},
    ),
    # Questions
    "question_step_illegal": Row(
        409,
        "问题现在是“{now}”，不能这样处理。",
        "The question is “{now}”: this cannot be done to it.",
        {"now": words.QUESTION},
    ),
    "question_claimed": Row(
        409,
        "{name}正在处理这条提问。需要时可以接手。",
        "{name} is working on this question. You can take it over.",
    ),
    "not_seconded": Row(
        409,
        "这条提问还没有经第二人复核，不能上台。",
        "Nobody has seconded this question yet: it cannot go on stage.",
    ),
    "not_verified": Row(
        409,
        "这条提问还没有核实属实，不能上台。",
        "The facts of this question are not verified: it cannot go on stage.",
    ),
    "second_same_person": Row(
        409,
        "复核人不能是通过或改写这条提问的人。",
        "Whoever approved or rewrote a question cannot second it.",
    ),
    "escalation_settled": Row(409, "这件已经处理过了。", "This was settled already."),
    "bulk_undone": Row(409, "这次批量处理已经撤销过了。", "This bulk act was taken back already."),
    "text_too_short": Row(422, "至少 {least} 个字。", "At least {least} characters."),
    "text_too_long": Row(422, "最多 {most} 个字。", "At most {most} characters."),
    "text_too_long_for_stage": Row(
        409,
        "上屏文字最多 {most} 字，请先改写。",
        "At most {most} characters go on stage: rewrite it first.",
    ),
    "not_neutral": Row(
        409,
        "还有问题是群众原话，改写成中性表述后才能送阅：{codes}",
        "Some questions are still in a citizen's own words; rewrite them first: {codes}",
    ),
    "tells_source": Row(
        409,
        "改写后的文字仍带有人名、区县以下的地点、号码、日期时间或原件里的原话，改掉后才能送阅：{codes}",
        "Some wordings still tell a name, a place below the district, a number or a time, or repeat a sentence: {codes}",
    ),
    "brief_empty": Row(409, "没有可送阅的问题。", "There is nothing to send."),
    "brief_off": Row(
        409,
        "本场不会前送阅，可在此页打开。",
        "This hearing sends nothing in advance; it can be switched on.",
    ),
    "reason_unknown": Row(422, "没有这个理由代码。", "There is no such reason code."),
    "question_unknown": Row(
        404,
        "没有编号为“{code}”的提问，请核对编号。",
        "There is no question with the code “{code}”: please check it.",
    ),
    "tags_too_many": Row(
        422, "一条提问最多 {most} 个标签。", "A question has at most {most} tags."
    ),
    "subject_unknown": Row(422, "没有这位述法人。", "There is no such subject."),
    "alias_taken": Row(
        409,
        "“{name}”已是{unit}的叫法：写着它的工单分不清给谁。",
        "“{name}” is already a name of {unit}: an order with it could be either's.",
    ),
    "topic_unknown": Row(
        422,
        "主题分类里没有“{topic}”，请从列表中选择。",
        "The scheme of topics has no “{topic}”: choose one of the list.",
    ),
    "topics_refused": Row(
        422, "主题分类没有更换：{place}。", "The scheme of topics was not replaced: {place}."
    ),
    "merge_into_self": Row(422, "问题不能并入自己。", "A question cannot be merged into itself."),
    "merge_target_illegal": Row(
        409, "不能并入这个问题。", "Questions cannot be merged into that one."
    ),
    "stage_occupied": Row(409, "台上已有一个问题，请先撤下。", "A question is already on stage."),
    "reaction_running": Row(
        409, "对这次答复的评价正在进行。", "This answer is being rated already."
    ),
    "reaction_of_nobody": Row(
        409,
        "台上的问题没有指定述法人，评议团无从亮牌。",
        "The question on stage is put to no subject, so the panel has nobody to rate.",
    ),
    "rating_early": Row(409, "答复之后才能评价。", "An answer is rated after it was given."),
    "stage_empty": Row(409, "台上没有问题。", "No question is on stage."),
    "phase_illegal": Row(
        409,
        "现在是“{now}”阶段，不能转到“{wanted}”。",
        "The phase is “{now}”, “{wanted}” cannot follow.",
        {"now": words.PHASE, "wanted": words.PHASE},
    ),
    "asker_unknown": Row(422, "没有这位提问人。", "There is no such asker."),
    "queue_unknown_id": Row(422, "队列里有不能排队的问题。", "One of these cannot be queued."),
    "support_closed": Row(409, "这个问题现在不能同问。", "This question takes no support now."),
    "work_needed": Row(
        403,
        "这里提问前要由浏览器先做一点计算，请用能运行脚本的浏览器打开本页。",
        "Asking here takes a little work of the browser first; open this page in one that runs scripts.",
    ),
    "asking_closed": Row(409, "现在不接受提问。", "Questions are not taken now."),
    "secret_wrong": Row(403, "提问凭证不对。", "The question's secret is wrong."),
    "appeal_used": Row(409, "已经申诉过一次。", "It was appealed once already."),
    "appeal_illegal": Row(
        409, "只有被退回的问题可以申诉。", "Only a rejected question is appealed."
    ),
    "appeal_missing": Row(
        409,
        "提问人没有申诉，无须复核。",
        "Its author has not appealed: there is nothing to answer.",
    ),
    "appeal_answered": Row(409, "这次申诉已经复核过。", "This appeal was answered already."),
    # Rounds and ballots
    "round_step_illegal": Row(
        409,
        "本轮现在是“{now}”，不能这样做。",
        "The round is “{now}”: this cannot be done.",
        {"now": words.ROUND},
    ),
    "round_closed": Row(409, "本轮已经结束。", "The round has closed."),
    "round_not_open": Row(409, "本轮还没有开始。", "The round is not open."),
    "already_cast": Row(
        409, "已经提交过，按规则不能修改。", "Already cast; the rules keep the first."
    ),
    "not_entitled": Row(
        403,
        "您不在本轮名单里，或本轮只评您的单位。",
        "You are not on this round's list, or it is about your own unit alone.",
    ),
    "came_late": Row(
        403,
        "本轮开始时您尚未签到，从下一轮起参加。",
        "You had not checked in when this round opened; you take part from the next one.",
    ),
    "own_unit": Row(
        422,
        "{name}是您本单位的述法人，由其他评议人评议。",
        "{name} heads your own unit and is rated by the others.",
    ),
    "own_unit_known": Row(
        409,
        "本轮无记名，规则又要看整张票：{units}的评议人不评本单位，票里缺这一位，会被认出。请改为记名，或换一种不看整张票的规则。",
        "This round is secret and its rules look at whole ballots: raters of {units} do not rate their "
        "own unit, so their ballots would be known by what is missing. Make the round named, or take "
        "rules that do not look at whole ballots.",
    ),
    "paper_own_unit": Row(
        409,
        "本轮无记名，这个席位不评本单位，纸质票上无法核对，请用平板。",
        "This round is secret and this seat does not rate its own unit, which cannot be checked on "
        "paper: use the tablet.",
    ),
    "choice_unknown": Row(422, "没有这个选项。", "There is no such choice."),
    "ballot_invalid": Row(422, "{place}", "{place}"),
    "rules_invalid": Row(422, "计票规则有误：{place}", "The rules are wrong: {place}"),
    "rules_and_choices": Row(
        422, "测评用规则，网络评价用选项，二者取一。", "A round has either rules or choices."
    ),
    "group_below_floor": Row(
        409,
        "{group}到场 {present} 人，不足规则规定的 {floor} 人，不能开始无记名测评。",
        "{group} has {present} present, fewer than the {floor} that the rules ask for: a secret round"
        " cannot open.",
    ),
    "seal_missing": Row(
        409,
        "本进程的数据目录里没有这一轮的封存密钥，不能收票，也不能截止：请在有密钥的进程上操作，"
        "或作废后重新测评。",
        "The seal of this round is not in this process's data folder, so it neither takes ballots nor"
        " closes the round: act through the process that has it, or void the round and hold it again.",
    ),
    "seal_differs": Row(
        409,
        "这一轮有封存的票打不开或数目不符，没有截止：请查明数据是否被改动，或作废后重新测评。",
        "A sealed ballot of this round cannot be opened, or their number is wrong, so it was not closed:"
        " find out whether the data were changed, or void the round and hold it again.",
    ),
    "cannot_print": Row(
        503,
        "本机暂时不能生成 PDF：请管理员安装中文字体（如 fonts-noto-cjk）；XLSX 和 DOCX 不受影响。",
        "This machine cannot make PDF: have a Chinese font installed (such as fonts-noto-cjk);"
        " XLSX and DOCX are made all the same.",
    ),
    "not_a_signer": Row(403, "本场未指定您签字。", "The show does not name you as a signer."),
    "already_signed": Row(409, "这一角色已经签过字。", "This role has already signed."),
    "not_a_publisher": Row(403, "本场未指定您公布结果。", "The show does not let you publish."),
    "paths_differ": Row(
        409,
        "两条计票路径不一致，不能公布：{place}",
        "The two counts differ: {place}. Not published.",
    ),
    "already_published": Row(409, "已向该范围公布。", "Already published to that audience."),
    "not_published": Row(409, "结果尚未公布。", "The result is not published."),
    "contest_not_provided": Row(
        409, "本场没有设定复核期限。", "The show sets no days for contesting results."
    ),
    "contest_too_late": Row(409, "复核申请的期限已过。", "The time for contesting it is over."),
    "contest_open": Row(409, "这项结果已在复核中。", "The result is being contested already."),
    "own_contest": Row(
        403, "申请复核的人不能作出决定。", "Who contested a result does not decide on it."
    ),
    "repeat_rejected": Row(
        409,
        "这一轮是为复核重新举行的，而复核已有别的结论，它的结果不公布。",
        "This round was held again for a contest that was decided otherwise: its result is not published.",
    ),
    "correction_wider": Row(
        409,
        "更正的结果不能比被更正的结果公布得更广。",
        "A correction is published no wider than the result that it corrects.",
    ),
    "correction_first": Row(
        409,
        "本轮是为复核重新举行的，作出更正决定时一并公布。",
        "This round was held again for a contest: the decision to correct publishes it.",
    ),
    "correction_unnamed": Row(
        422,
        "选“更正”时，请选定用哪一轮的结果更正。",
        "To correct a result, choose the round whose result replaces it.",
    ),
    "correction_not_upheld": Row(
        422,
        "选“维持”时，不要选更正用的轮次。",
        "A result that is upheld is replaced by no round: leave the round out.",
    ),
    "correction_unfit": Row(
        409,
        "更正须用为此重新举行、已计票确认的一轮。",
        "A correction needs a round that was held to replace this one and is certified.",
    ),
    "file_kind": Row(
        422,
        "文件须为 PDF、JPG、PNG、DOCX、XLSX 或 TXT。",
        "The file must be a PDF, JPG, PNG, DOCX, XLSX or TXT.",
    ),
    "file_large": Row(413, "文件不能超过 5 MB。", "A file may have 5 MB at most."),
    "files_many": Row(409, "最多 5 个文件。", "Five files at most."),
    "votes_on_paper": Row(
        409,
        "本席本轮改用纸质票，平板不再提交；如需改回，请告知主持台。",
        "This seat votes on paper in this round; tell the host if it should be the tablet.",
    ),
    "paper_one_group": Row(
        409,
        "无记名轮次的纸质票不带席位号，须全部属于同一组；本席与已改用纸质票的席位不同组。",
        "Forms of a secret round bear no seat, so all of them must be of one group; this seat is of another.",
    ),
    "paper_counts": Row(
        409,
        "本轮已有纸质票计入，席位不能再改回平板。",
        "A form of this round counts already: no seat can go back to its tablet.",
    ),
    "form_unknown": Row(
        404,
        "没有这张纸质票：先在主持台把席位设为纸质票。",
        "There is no such form: the seat must be set to paper first.",
    ),
    "form_counted": Row(
        409,
        "这张纸质票已经两人录入一致并计入。",
        "This form was keyed in alike by two people and counts.",
    ),
    "comments_not_taken": Row(
        422, "本轮不收意见建议。", "Nothing may be written beside the marks in this round."
    ),
    "reason_missing": Row(
        422,
        "对“{name}”的打分低于 {below}，请写明理由。",
        "The marks for “{name}” are below {below}: a reason is required.",
    ),
    "comments_sealed": Row(
        409,
        "截止前任何人都不能查看意见建议。",
        "Nobody reads what was written before the round has closed.",
    ),
    "takeover_closed": Row(
        409,
        "现在不能换平板：签到还没有开始，或场次已经结束。",
        "A seat cannot be taken over now: check-in has not begun, or the hearing is over.",
    ),
    "takeover_full": Row(
        429,
        "这个席位已有几台平板在等待，请主持台先处理。",
        "Several tablets wait for this seat: the host console answers them first.",
    ),
    "takeover_settled": Row(409, "这个请求已经处理过。", "This request has been answered already."),
    "kiosk_unknown": Row(
        404,
        "没有这个代码，或者已被新印的代码代替，请核对后再试。",
        "There is no such code, or a newer one has taken its place: check it and try again.",
    ),
    "kiosk_used": Row(
        409,
        "这个代码已经用过或已过期，请找现场工作人员。",
        "This code was used before or has expired: see the staff.",
    ),
    "kiosk_no_round": Row(
        409,
        "现在没有进行中的测评；代码没有用掉，开始后再输入。",
        "No evaluation is open. Your code is not used up: enter it when one begins.",
    ),
    "kiosk_signed_in": Row(
        409,
        "您已签到。现在没有进行中的测评；代码没有用掉，测评开始后再输入。",
        "You are signed in. No evaluation is open; your code is not used up: enter it when one begins.",
    ),
    "takeover_unknown": Row(
        404, "没有这个请求，请重新请求。", "There is no such request: ask again."
    ),
    "seat_unknown": Row(422, "没有这个席位。", "There is no such seat."),
    # Files
    "file_refused": Row(422, "文件不能导入：{place}", "The file was refused: {place}"),
    "show_invalid": Row(422, "议程文件有误：{place}", "The show file is wrong: {place}"),
    "show_unwritable": Row(
        409,
        "这场评议写不成一个议程文件：{place}。",
        "This hearing cannot be written as one show file: {place}.",
    ),
    # Sources
    "source_unknown": Row(422, "来源代码有误。", "The source key is wrong."),
    "source_taken": Row(
        409, "这个来源代码已经在用。", "This source key is already in use in this hearing."
    ),
    "sources_full": Row(
        409, "一场评议至多 {most} 个来源。", "A hearing has at most {most} sources."
    ),
    "source_paused": Row(
        409,
        "来源“{name}”已暂停，恢复后才能接收。",
        "The source “{name}” is paused: nothing is taken in until it goes on.",
    ),
    "import_stopped": Row(
        409,
        "导入中断：{why}{of} 条中已处理 {done} 条，都已保存；再次导入同一文件即可接着完成。",
        "The import stopped. {why} {done} of {of} items were taken in and stay; import the same file again "
        "for the rest.",
    ),
    "source_unasked": Row(
        409,
        "这种来源由对方送来，不主动收取。",
        "This kind of source is handed in by its sender: nobody asks it.",
    ),
    "letter_refused": Row(
        409, "这封邮件仍不能收入：{place}", "This message can still not be taken in: {place}"
    ),
    "letter_not_whole": Row(
        409,
        "这封邮件没有整封封存，请在邮箱里查看。",
        "This message was not kept whole: look at it in the mailbox.",
    ),
    "source_keyless": Row(409, "这种来源不用密钥。", "Senders of this kind of source show no key."),
    # Told on the page of sources, and answered to nobody
    "source_failed": Row(
        500,
        "收取时出了意外，稍后自动再试。",
        "Something unexpected went wrong while asking; it is tried again later.",
    ),
    "mailbox_unreachable": Row(
        500,
        "连不上邮箱服务器，或连接中断；请核对服务器和端口，稍后自动再试。",
        "The mail server cannot be reached, or broke off: check host and port. It is tried again.",
    ),
    "mailbox_tls": Row(
        500,
        "与邮箱服务器的加密连接没有建立：不支持所选的加密方式，或证书不受信任。",
        "No encrypted connection to the mail server: this encryption is not offered there, or its "
        "certificate is not trusted.",
    ),
    "mailbox_login": Row(
        500,
        "邮箱不接受账号或密码；很多邮箱须先开通 IMAP，并使用授权码。",
        "The mailbox does not accept the user or the password; many providers want IMAP switched on "
        "and a code of their own for it.",
    ),
    "mailbox_folder": Row(
        500,
        "邮箱里没有这个文件夹，或不许打开。",
        "There is no such folder in the mailbox, or it may not be opened.",
    ),
    "mailbox_answers": Row(
        500,
        "来信照常收取，但查询码发不出去：发信服务器连不上或不接受；稍后自动再试。",
        "Letters come in, but their codes cannot be sent: the SMTP server cannot be reached or does "
        "not accept them. It is tried again.",
    ),
    "open311_unreachable": Row(
        500,
        "连不上对方的接口，或十秒内没有答完；请核对接口地址，稍后自动再试。",
        "The endpoint cannot be reached, or did not answer within ten seconds: check its address. It is "
        "tried again.",
    ),
    "open311_address": Row(
        500,
        "接口地址指向本机链路或云平台的内部地址，不予访问。",
        "The endpoint's address is link-local or a cloud's own: it is not asked.",
    ),
    "open311_refused": Row(
        500,
        "对方拒绝了接口密钥；请核对密钥和辖区标识。",
        "The endpoint does not accept the API key: check it and the jurisdiction.",
    ),
    "open311_status": Row(
        500,
        "对方的接口答复出错（如 404、500 或转向别处）；请核对接口地址，稍后自动再试。",
        "The endpoint answers with an error (404, 500, a redirect): check its address. It is tried again.",
    ),
    "open311_answer": Row(
        500,
        "对方的答复读不懂：不是所选格式的 Open311 诉求列表，或不是合法的 JSON、XML"
        "（常见的是以 0 开头的编号没有加引号）。",
        "The endpoint's answer cannot be read: it is no list of service requests in the chosen format, or "
        "no valid JSON or XML (often a code that begins with 0 and is not quoted).",
    ),
    "open311_endless": Row(
        500,
        "对方的诉求一页接一页读不到头，后面的没有接收；请核对接口是否支持分页和起始时间。",
        "The endpoint's pages have no end, and what came last in them was not taken in: check "
        "that it heeds pages and the date to begin with.",
    ),
    "open311_large": Row(
        500, "对方的答复超过 8 MB，没有读取。", "The endpoint's answer is larger than 8 MB."
    ),
    # What a city's system is answered (Open311)
    "open311_missing": Row(422, "缺少参数 {place}。", "{place} was not provided."),
    "open311_wrong": Row(422, "参数 {place} 有误。", "{place} is wrong."),
    "open311_key": Row(
        403,
        "接口密钥 api_key 缺失或无效，不能提交或查询。",
        "Missing or invalid api_key: nothing was taken in or told.",
    ),
    "open311_service_unknown": Row(
        404, "没有服务“{service}”。", "There is no service with the code {service}."
    ),
    "open311_not_taken": Row(422, "没有接收：{place}", "This was not taken in: {place}"),
    "signature_missing": Row(
        401,
        "没有签名：须有 webhook-id、webhook-timestamp、webhook-signature 三个请求头。",
        "This is not signed: webhook-id, webhook-timestamp and webhook-signature are needed.",
    ),
    "signature_wrong": Row(
        401, "签名不对，没有接收。", "The signature does not hold; nothing was taken in."
    ),
    "signature_stale": Row(
        401,
        "签名时间与本机相差五分钟以上，没有接收；请校准时钟后重新签名。",
        "The time that was signed is more than five minutes off; set the clock and sign anew.",
    ),
    "push_refused": Row(422, "不能接收：{place}", "This cannot be taken in: {place}"),
    "setting_wrong": Row(422, "“{setting}”没有填或填得不对。", "“{setting}” is missing or wrong."),
    "server_error": Row(500, "系统出错，已记录。", "Something failed here; it was recorded."),
}


LONGEST_DETAIL = 300
"""Characters of one text in a detail."""


class Refusal(Exception):
    """Something was asked that the rules do not allow; nothing was changed.

    `code` is a key of `CATALOGUE`; `detail` is sent along, so it holds no personal data. A pair of
    strings in it is one sentence in Chinese and in English.
    """

    def __init__(self, code: str, /, **detail: Any) -> None:
        if code not in CATALOGUE:
            raise KeyError(f"no refusal is called {code!r}")
        super().__init__(code)
        self.code = code
        self.detail = detail

    @property
    def status(self) -> int:
        """HTTP status of this refusal."""
        return CATALOGUE[self.code].status

    def message(self, lang: str) -> str:
        """One sentence in the reader's language (`zh` or `en`)."""
        row, told = CATALOGUE[self.code], self.detail_in(lang)
        for name, called in row.words.items():
            if told.get(name) in called:
                told[name] = called[told[name]][1 if lang == "en" else 0]
        return _Filled(told).fill(row.en if lang == "en" else row.zh)

    @property
    def in_both(self) -> str:
        """The sentence in Chinese and in English, for a terminal."""
        return f"{self.message('zh')} {self.message('en')}"

    def detail_in(self, lang: str) -> dict[str, Any]:
        """The detail with every (Chinese, English) pair of sentences in the reader's language.
        A text may be what was sent; it comes back long enough to be recognised."""
        side = 1 if lang == "en" else 0
        told = {}
        for name, value in self.detail.items():
            one = value[side] if isinstance(value, tuple) and len(value) == 2 else value
            long = isinstance(one, str) and len(one) > LONGEST_DETAIL
            told[name] = one[: LONGEST_DETAIL - 1] + "…" if long else one
        return told


class OutcomeUnknown(Exception):
    """A commit failed or was not answered: whether it happened is not known (law 2)."""


class RolledBack(Exception):
    """The database rolled the act back by itself before its commit: nothing happened."""


class _Filled(dict[str, Any]):
    """A missing name in a sentence reads as an ellipsis, never as an error."""

    def __missing__(self, name: str) -> str:
        return "…"

    def fill(self, sentence: str) -> str:
        return sentence.format_map(self)
