import { useQueryClient } from "@tanstack/react-query";
import { Suspense, useState } from "react";
import { Redirect, Route, Router, Switch, useLocation, useSearch } from "wouter";
import type { Me } from "../lib/api.ts";
import { setProject } from "../lib/api.ts";
import { useOnce, useTheme } from "../lib/hooks.ts";
import { currentLanguage, type Language, setLanguage, t } from "../lib/i18n.ts";
import * as kept from "../lib/kept.ts";
import { appPath } from "../lib/place.ts";
import { useInbox, useMe, useServerState } from "../lib/queries.ts";
import { Problem, Skeleton } from "../ui/parts.tsx";
import { Toasts } from "../ui/Toast.tsx";
import { Boundary } from "./Boundary.tsx";
import { Frame } from "./Frame.tsx";
import { NotFound } from "./NotFound.tsx";
import { page } from "./page.tsx";

const Setup = page(() => import("../pages/start/Setup.tsx"));
const Login = page(() => import("../pages/start/Login.tsx"));
const Invitation = page(() => import("../pages/start/Invitation.tsx"));
const Inbox = page(() => import("../pages/inbox/Inbox.tsx"));
const Executions = page(() => import("../pages/executions/Executions.tsx"));
const Trace = page(() => import("../pages/executions/Trace.tsx"));
const Settings = page(() => import("../pages/settings/Settings.tsx"));
const Models = page(() => import("../pages/settings/Models.tsx"));
const Sandbox = page(() => import("../pages/sandbox/Sandbox.tsx"));

/** Requests the chunk of the page at the address while the server says who reads it. */
function requestPage() {
  const words = location.pathname.slice(appPath.length).split("/");
  const [word, id] = words[1] === "p" ? words.slice(3) : words.slice(1);
  const ofProject = {
    executions: id ? Trace : Executions,
    sandbox: Sandbox,
    settings: id === "models" ? Models : Settings,
  };
  const pages = { login: Login, setup: Setup, invitations: Invitation, ...ofProject };
  const shown = pages[word as keyof typeof pages] ?? Inbox;
  // The page itself reports what fails.
  shown.request().catch(() => undefined);
}
requestPage();

export function App() {
  const [language, show] = useState<Language>(currentLanguage());
  const change = (to: Language) => void setLanguage(to).then(() => show(to));
  return (
    <Router base={appPath}>
      <Boundary>
        <Suspense fallback={<Skeleton />}>
          <Pages key={language} language={language} setLanguage={change} />
        </Suspense>
      </Boundary>
      <Toasts />
    </Router>
  );
}

type Shown = { language: Language; setLanguage: (to: Language) => void };

function Pages(props: Shown) {
  const state = useServerState();
  if (state.isPending) return <Skeleton />;
  if (state.isError) return <Problem error={state.error} retry={() => void state.refetch()} />;
  const server = state.data;
  return (
    <>
      {!server.secure && <p className="strip wait">{t("state.notEncrypted")}</p>}
      <Switch>
        <Route path="/setup">{server.setup_needed ? <Setup /> : <NotFound />}</Route>
        <Route path="/login">
          <Login setupNeeded={server.setup_needed} />
        </Route>
        <Route path="/invitations/:token">{({ token }) => <Invitation key={token} token={token} />}</Route>
        <Route>
          <SignedIn {...props} />
        </Route>
      </Switch>
    </>
  );
}

function SignedIn({ language, setLanguage }: Shown) {
  const [path] = useLocation();
  const search = useSearch();
  const me = useMe();
  const queries = useQueryClient();
  const setupNeeded = queries.getQueryData<{ setup_needed: boolean }>(["state"])?.setup_needed;
  if (me.isPending) return <Skeleton />;
  if (me.isError) return <Problem error={me.error} retry={() => void me.refetch()} />;
  if (me.data === null) {
    if (setupNeeded && path === "/") return <Redirect to="/setup" replace />;
    const next = path === "/" ? "" : `?next=${encodeURIComponent(path + (search ? `?${search}` : ""))}`;
    return <Redirect to={`/login${next}`} replace />;
  }
  return <OfPerson me={me.data} language={language} setLanguage={setLanguage} />;
}

function OfPerson({ me, language, setLanguage }: Shown & { me: Me }) {
  useTheme(me.theme);
  useOnce(() => {
    kept.write("language", me.language);
    if (me.language !== language) setLanguage(me.language);
  });
  const last = kept.read("project");
  const first = me.projects.find((project) => project.id === last) ?? me.projects[0];
  return (
    <Switch>
      <Route path="/">{first ? <Begin me={me} project={first.id} /> : <NoProject />}</Route>
      <Route path="/p/:project/*?">
        {({ project }) => {
          const found = me.projects.find((mine) => mine.id === project);
          if (!found) return <NotFound />;
          setProject(found.id);
          kept.write("project", found.id);
          return (
            <Frame key={found.id} me={me} project={found} setLanguage={setLanguage}>
              <Boundary key={project}>
                <Suspense fallback={<Skeleton />}>
                  <ProjectPages me={me} role={found.role} />
                </Suspense>
              </Boundary>
            </Frame>
          );
        }}
      </Route>
      <Route>
        <NotFound />
      </Route>
    </Switch>
  );
}

function ProjectPages({ me, role }: { me: Me; role: Me["projects"][number]["role"] }) {
  const builds = role === "builder" || role === "owner";
  return (
    <Switch>
      <Route path="/p/:project">{({ project }) => <Redirect to={`/p/${project}/inbox`} replace />}</Route>
      <Route path="/p/:project/inbox/:conversation?">
        {({ conversation }) => <Inbox me={me} role={role} conversation={conversation} />}
      </Route>
      {builds && <Route path="/p/:project/executions">{() => <Executions />}</Route>}
      {builds && (
        <Route path="/p/:project/executions/:execution">
          {({ execution }) => <Trace key={execution} id={execution} me={me} />}
        </Route>
      )}
      {builds && <Route path="/p/:project/sandbox">{() => <Sandbox me={me} />}</Route>}
      {builds && (
        <Route path="/p/:project/settings">
          {({ project }) => (
            <Redirect to={`/p/${project}/settings/${role === "owner" ? "general" : "models"}`} replace />
          )}
        </Route>
      )}
      {role === "owner" && <Route path="/p/:project/settings/general">{() => <Settings />}</Route>}
      {builds && <Route path="/p/:project/settings/models">{() => <Models isOwner={role === "owner"} />}</Route>}
      <Route>
        <NotFound />
      </Route>
    </Switch>
  );
}

/** The inbox; for an operator with a phone the sandbox, as long as no conversation exists. */
function Begin({ me, project }: { me: Me; project: string }) {
  const state = useServerState();
  const hasPhone = state.data?.phone === "here" && me.is_operator;
  setProject(project);
  const inbox = useInbox("all", {}, hasPhone);
  if (hasPhone && inbox.isPending) return <Skeleton />;
  const isEmpty = hasPhone && inbox.data?.pages[0]?.data.length === 0;
  return <Redirect to={`/p/${project}/${isEmpty ? "sandbox" : "inbox"}`} replace />;
}

function NoProject() {
  return (
    <main className="alone">
      <h1>{t("shell.noProject")}</h1>
      <p>{t("shell.noProjectHow")}</p>
    </main>
  );
}
