"""What people call the states that the code names: one (Chinese, English) pair each."""

from __future__ import annotations

from collections.abc import Mapping

Words = Mapping[str, tuple[str, str]]

HEARING: Words = {
    "draft": ("草稿", "Draft"),
    "ready": ("就绪", "Ready"),
    "check_in": ("签到", "Check-in"),
    "live": ("进行中", "Live"),
    "paused": ("暂停", "Paused"),
    "ended": ("已结束", "Ended"),
    "certified": ("已确认", "Certified"),
    "archived": ("已归档", "Archived"),
}

QUESTION: Words = {
    "received": ("新收到", "Received"),
    "screened": ("待处理", "To review"),
    "approved": ("已通过", "Approved"),
    "rejected": ("已退回", "Rejected"),
    "merged": ("已合并", "Merged"),
    "shortlisted": ("入选", "Shortlisted"),
    "queued": ("排队中", "Queued"),
    "on_stage": ("在台上", "On stage"),
    "answered": ("已答复", "Answered"),
    "withdrawn": ("已撤回", "Withdrawn"),
    "replied_in_writing": ("书面答复", "Replied in writing"),
    "converted": ("已转为问题", "Became a finding"),
    "closed": ("已办结", "Closed"),
    "escalated": ("已转专人处理", "With the duty person"),
    "handed_over": ("已移交", "Handed over"),
}

ACT: Words = {
    "approve": ("通过", "Approved"),
    "unapprove": ("撤销通过", "Approval taken back"),
    "reject": ("退回", "Rejected"),
    "unreject": ("撤销退回", "Rejection taken back"),
    "appeal": ("提问人申诉", "The author appealed"),
    "uphold": ("维持退回", "Rejection upheld"),
    "shortlist": ("入选", "Shortlisted"),
    "unshortlist": ("取消入选", "Off the shortlist"),
    "merge": ("合并", "Merged"),
    "unmerge": ("撤销合并", "Merge taken back"),
    "edit": ("改写、分配或标签", "Rewritten, assigned or tagged"),
    "assign": ("分配", "Assigned"),
    "tag": ("加标签", "Tagged"),
    "reply": ("书面答复", "Replied in writing"),
    "close": ("办结", "Closed"),
    "verify": ("核实", "Verified"),
    "second": ("复核", "Seconded"),
    "write": ("由诉求写成", "Written from requests"),
    "escalate": ("转专人处理", "Escalated"),
    "release": ("退回审核台", "Given back to the desk"),
}
"""What somebody at the desk, or its author, did to a question."""

DOER: Words = {
    "machine": ("程序", "The program"),
    "public": ("提问人", "The author"),
}
"""Who did something to a question and is nobody of the staff."""

PHASE: Words = {
    "asking": ("提问中", "Asking"),
    "answering": ("答复中", "Answering"),
    "follow_up": ("追问", "Follow-up"),
    "done": ("完毕", "Done"),
}

ROUND: Words = {
    "ready": ("未开始", "Not begun"),
    "open": ("进行中", "Open"),
    "closing": ("即将截止", "Closing"),
    "closed": ("已截止", "Closed"),
    "tallied": ("已计票", "Tallied"),
    "certified": ("计票已确认", "Certified"),
    "published": ("已公布", "Published"),
    "contested": ("复核中", "Contested"),
    "upheld": ("复核维持", "Upheld"),
    "corrected": ("已更正", "Corrected"),
    "voided": ("已作废", "Voided"),
}

LEASE: Words = {
    "show": ("议程", "Run of show"),
    "screens": ("屏幕", "Screens"),
    "rounds": ("轮次", "Rounds"),
}
"""The three controls."""
