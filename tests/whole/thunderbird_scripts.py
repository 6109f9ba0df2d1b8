"""What Thunderbird is told in its own language: bodies of functions that see its window and get `given`."""

from typing import Final

SERVICES: Final = 'const {MailServices} = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");'

# From now on there is a desktop that takes notifications. That of a bad certificate is owed until it is put in words.
READY: Final = """
    Object.assign(window, {notices: [], owed: 0});
    MailServices.mailSession.addUserFeedbackListener({
        QueryInterface: ChromeUtils.generateQI(["nsIMsgUserFeedbackListener"]),
        onAlert() { return false; },
        onCertError() { window.owed++; },
    });
    const desktop = {
        QueryInterface: ChromeUtils.generateQI(["nsIAlertsService"]),
        showAlert(alert, observer) {
            window.notices.push(alert.text);
            window.owed = 0;
            observer?.observe(null, "alertfinished", alert.cookie);
        },
        closeAlert() {},
    };
    Components.manager.QueryInterface(Ci.nsIComponentRegistrar).registerFactory(
        Services.uuid.generateUUID(), "", "@mozilla.org/alerts-service;1",
        {QueryInterface: ChromeUtils.generateQI(["nsIFactory"]), createInstance: iid => desktop.QueryInterface(iid)});
"""

ACCOUNT: Final = """
    const [smtp, pop3, user, password, address] = given;
    const Login = Components.Constructor("@mozilla.org/login-manager/loginInfo;1", Ci.nsILoginInfo, "init");
    for (const origin of [`smtp://${smtp.host}`, `mailbox://${pop3.host}`])
        await Services.logins.addLoginAsync(new Login(origin, null, origin, user, password, "", ""));

    const accounts = MailServices.accounts;
    const authMethod = Ci.nsMsgAuthMethod.passwordCleartext;
    const incoming = accounts.createIncomingServer(user, pop3.host, "pop3");
    Object.assign(incoming, {port: pop3.port, socketType: pop3.security, authMethod,
        loginAtStartUp: false, doBiff: false, valid: true});
    const outgoing = MailServices.outgoingServer.createServer("smtp").QueryInterface(Ci.nsISmtpServer);
    Object.assign(outgoing, {hostname: smtp.host, port: smtp.port});
    const server = outgoing.QueryInterface(Ci.nsIMsgOutgoingServer);
    Object.assign(server, {username: user, socketType: smtp.security, authMethod});

    const identity = accounts.createIdentity();
    Object.assign(identity, {email: address, fullName: "Alice", smtpServerKey: server.key, doFcc: false});
    const account = accounts.createAccount();
    account.addIdentity(identity);
    account.incomingServer = incoming;
    accounts.defaultAccount = account;
    MailServices.outgoingServer.defaultServer = server;
"""

# As the button "Get Messages" does.
FETCH: Final = """
    Object.assign(window, {ended: null, notices: []});
    const {TransportErrorUrlListener} =
        ChromeUtils.importESModule("resource:///modules/TransportErrorUrlListener.sys.mjs");
    const server = MailServices.accounts.defaultAccount.incomingServer;
    const inbox = server.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox);
    const listener = new (class extends TransportErrorUrlListener {
        OnStopRunningUrl(url, status) {
            super.OnStopRunningUrl(url, status);
            window.ended ??= status;
        }
    })();
    window.setTimeout(() => server.getNewMessages(inbox, window.msgWindow, listener));
"""

SEND: Final = """
    Object.assign(window, {ended: null, notices: []});
    const [to, subject, body] = given;
    const account = MailServices.accounts.defaultAccount;
    const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(Ci.nsIMsgCompFields);
    Object.assign(fields, {from: account.defaultIdentity.email, to, subject});
    let outcome = null;
    const listener = {
        QueryInterface: ChromeUtils.generateQI(["nsIMsgSendListener"]),
        onStartSending() {}, onProgress() {}, onStatus() {}, onGetDraftFolderURI() {}, onSendNotPerformed() {},
        onTransportSecurityError() {},
        onStopSending(id, status) { outcome ??= status; },
    };
    const sending = Cc["@mozilla.org/messengercompose/send;1"].createInstance(Ci.nsIMsgSend);
    const send = () => sending.createAndSendMessage(null, account.defaultIdentity, account.key, fields, false, false,
        Ci.nsIMsgSend.nsMsgDeliverNow, null, "text/plain", body, null, null, listener, "", null, Ci.nsIMsgCompType.New);
    window.setTimeout(() => send().catch(() => {}).finally(() => { window.ended = outcome; }));
"""

# Else it does so after some seconds.
HANG_UP: Final = """
    const server = MailServices.outgoingServer.defaultServer.wrappedJSObject;
    const sockets = [...server._freeConnections, ...server._busyConnections].map(client => client.socket);
    server.closeCachedConnections();
    while (sockets.some(socket => socket.readyState !== "closed"))
        await new Promise(resolve => window.setTimeout(resolve, 10));
"""

# A dialog is blank before it can be read.
ENDED: Final = """
    const opening = [...Services.ww.getWindowEnumerator()].some(each => /^about:blank|ialog/.test(each.location.href));
    return window.ended === null || window.owed || opening ? null : [window.ended, window.notices];
"""
