package wsprovider.live;

import java.nio.file.Path;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/** Metro's configuration of one party: a policy that says where its keys are and how it behaves. */
final class Configuration {
    private static final String POLICY = "http://schemas.xmlsoap.org/ws/2004/09/policy";
    private static final String CLIENT = "http://schemas.sun.com/2006/03/wss/client";
    private static final String SERVER = "http://schemas.sun.com/2006/03/wss/server";
    private static final String CLIENT_CONVERSATION = "http://schemas.sun.com/ws/2006/05/sc/client";
    private static final String SERVER_CONVERSATION = "http://schemas.sun.com/ws/2006/05/sc/server";
    private static final String ADDRESSING = "http://www.w3.org/2007/05/addressing/metadata";

    private final Document document;
    private final Element all;

    private Configuration() throws Exception {
        document = Xml.parse("<Policy xmlns='" + POLICY + "'><ExactlyOne><All/></ExactlyOne></Policy>");
        all = Xml.elements(document, POLICY, "All").get(0);
    }

    /** Demands WS-Addressing, without which Metro holds no conversation. */
    static Document addressing() throws Exception {
        Configuration made = new Configuration();
        made.append(made.all, ADDRESSING, "Addressing");
        return made.document;
    }

    static Document ofClient(Request request, KeyMaterial material, Path folder) throws Exception {
        Configuration made = new Configuration();
        made.stores(CLIENT, material, folder);
        Element handlers = made.append(made.all, CLIENT, "CallbackHandlerConfiguration");
        if (request.has("username")) {
            made.handler(handlers, "usernameHandler", request.text("username"));
            made.handler(handlers, "passwordHandler", request.text("password", ""));
        }
        if (request.has("loginModule")) {
            Element kerberos = made.append(made.all, CLIENT, "KerberosConfig");
            kerberos.setAttribute("loginModule", request.text("loginModule"));
            kerberos.setAttribute("servicePrincipal", request.required("servicePrincipal"));
        }
        Element conversation = made.append(made.all, CLIENT_CONVERSATION, "SCClientConfiguration");
        conversation.setAttribute("renewExpiredSCT", String.valueOf(request.flag("renew", false)));
        if (request.has("lifetimeMillis")) {
            made.append(conversation, CLIENT_CONVERSATION, "LifeTime").setTextContent(request.text("lifetimeMillis"));
        }
        return made.document;
    }

    static Document ofServer(Request request, KeyMaterial material, Path folder) throws Exception {
        Configuration made = new Configuration();
        made.stores(SERVER, material, folder);
        Element validators = made.append(made.all, SERVER, "ValidatorConfiguration");
        Element users = made.append(validators, SERVER, "Validator");
        users.setAttribute("name", "usernameValidator");
        users.setAttribute("classname", Users.class.getName());
        Element conversation = made.append(made.all, SERVER_CONVERSATION, "SCConfiguration");
        if (request.has("lifetimeMillis")) {
            made.append(conversation, SERVER_CONVERSATION, "LifeTime").setTextContent(request.text("lifetimeMillis"));
        }
        return made.document;
    }

    private void stores(String namespace, KeyMaterial material, Path folder) throws Exception {
        if (material.hasKey()) {
            Path file = folder.resolve("keys.p12");
            material.writeKeys(file);
            store(namespace, "KeyStore", file).setAttribute("alias", KeyMaterial.OWN);
        }
        Path file = folder.resolve("known.p12");
        material.writeKnown(file);
        Element known = store(namespace, "TrustStore", file);
        if (material.hasPeer()) {
            known.setAttribute("peeralias", KeyMaterial.PEER);
        }
    }

    private Element store(String namespace, String name, Path file) {
        Element store = append(all, namespace, name);
        store.setAttribute("location", file.toString());
        store.setAttribute("type", "PKCS12");
        store.setAttribute("storepass", KeyMaterial.PASSWORD);
        return store;
    }

    private void handler(Element handlers, String name, String value) {
        Element handler = append(handlers, CLIENT, "CallbackHandler");
        handler.setAttribute("name", name);
        handler.setAttribute("default", value);
    }

    private Element append(Element parent, String namespace, String name) {
        return (Element) parent.appendChild(document.createElementNS(namespace, name));
    }
}
