import { Link } from "wouter";
import type { Me } from "../lib/api.ts";
import { t } from "../lib/i18n.ts";
import { Icon } from "../ui/icons.tsx";
import { Menu } from "../ui/Menu.tsx";

export function ProjectMenu({ me, project }: { me: Me; project: Me["projects"][number] }) {
  if (me.projects.length < 2) {
    return (
      <span className="project" dir="auto">
        {project.name}
      </span>
    );
  }
  const button = (
    <>
      <span dir="auto">{project.name}</span>
      <Icon name="down" />
    </>
  );
  return (
    <Menu label={t("shell.project", { name: project.name })} button={button} className="button bare project">
      {me.projects.map((other) => (
        <Link key={other.id} href={`/p/${other.id}/inbox`} aria-current={other.id === project.id ? "true" : undefined}>
          <span dir="auto">{other.name}</span>
          <span className="small quiet">{t(`role.${other.role}`)}</span>
        </Link>
      ))}
    </Menu>
  );
}
