// The vendor's workforce, as its identity provider knows it. Passwords are the demo's own and open nothing else.

export interface StaffMember {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly groups: readonly string[];
  readonly password: string;
  /** What the demo prints about this person. */
  readonly about: string;
}

export const STAFF = {
  sam: {
    id: 'staff-sam',
    name: 'Sam Support',
    email: 'sam@vendor.example',
    groups: ['support'],
    password: 'demo-sam',
    about: 'on the support staff',
  },
  lena: {
    id: 'staff-lena',
    name: 'Lena Lead',
    email: 'lena@vendor.example',
    groups: ['support', 'support-leads'],
    password: 'demo-lena',
    about: 'leads the support staff',
  },
  eve: {
    id: 'staff-eve',
    name: 'Eve Engineer',
    email: 'eve@vendor.example',
    groups: ['engineering'],
    password: 'demo-eve',
    about: 'works for the vendor, but not in support',
  },
} as const satisfies Record<string, StaffMember>;

export type StaffName = keyof typeof STAFF;

const byId = new Map<string, StaffMember>(Object.values(STAFF).map((member) => [member.id, member]));
const byEmail = new Map<string, StaffMember>(Object.values(STAFF).map((member) => [member.email, member]));

export function staffById(id: string | undefined): StaffMember | undefined {
  return id === undefined ? undefined : byId.get(id);
}

export function staffByEmail(email: string): StaffMember | undefined {
  return byEmail.get(email);
}
