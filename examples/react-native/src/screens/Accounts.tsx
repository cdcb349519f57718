import { Pressable, StyleSheet, Text, View } from 'react-native';

import { useTheme } from '../ui/theme';

/** The users who were logged in before; one press logs in. */
export function Accounts({
  users,
  onPick,
}: {
  users: readonly string[];
  onPick(user: string): void;
}) {
  const theme = useTheme();
  return (
    <View style={styles.list}>
      {users.map((user) => (
        <Pressable
          key={user}
          accessibilityRole="button"
          accessibilityLabel={`Log in as ${user}`}
          onPress={() => onPick(user)}
          style={({ pressed }) => [
            styles.row,
            { backgroundColor: theme.ground },
            pressed && styles.pressed,
          ]}
        >
          <View style={[styles.badge, { backgroundColor: theme.soft }]}>
            <Text style={[styles.letter, { color: theme.accent }]}>{initial(user)}</Text>
          </View>
          <Text numberOfLines={1} style={[styles.name, { color: theme.text }]}>
            {user}
          </Text>
          <Text style={[styles.action, { color: theme.accent }]}>Log in</Text>
        </Pressable>
      ))}
    </View>
  );
}

/** What stands for a user on a small round sign. */
export function initial(user: string): string {
  return user.slice(0, 1).toUpperCase();
}

const styles = StyleSheet.create({
  list: { gap: 8 },
  row: {
    minHeight: 56,
    paddingHorizontal: 12,
    borderRadius: 14,
    flexDirection: 'row',
    alignItems: 'center',
    gap: 12,
  },
  badge: {
    width: 36,
    height: 36,
    borderRadius: 18,
    alignItems: 'center',
    justifyContent: 'center',
  },
  letter: { fontSize: 16, fontWeight: '700' },
  name: { flex: 1, fontSize: 17 },
  action: { fontSize: 15, fontWeight: '600' },
  pressed: { opacity: 0.7 },
});
